-- Before when finished work is old: what succeeded or was cancelled, and what failed. With
-- :only_counted attempts that the rollups have not counted yet are never old.
SELECT
    least(now() - make_interval(secs => :finished_seconds), r.rolled_to) AS finished,
    least(now() - make_interval(secs => :failed_seconds), r.rolled_to) AS failed
FROM (
    SELECT nullif(max(rolled_to), '-infinity') AS rolled_to
    FROM rollup_progress
    WHERE CAST(:only_counted AS boolean)
) r
