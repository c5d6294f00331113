-- Which attempts took longest?
-- The last hour; another stretch with SET darkroom.minutes = 1440.
--
-- lane, task, outcome
-- job_id               the step
-- run_seconds          from start to end
-- minute               when it ended; looking back for more than ten hours, the ten minutes' first
--
-- Of each minute (or ten), task and outcome only the longest counts.
-- Cost: reads the rollups of a minute, or of ten for more than ten hours; what is not rolled up yet
-- from the newest 20 000 attempts.
WITH asked AS (
    SELECT coalesce(nullif(current_setting('darkroom.minutes', true), ''), '60')::int AS minutes
),
times AS (
    SELECT now() - make_interval(mins => minutes) AS since FROM asked
)
SELECT lane, task, outcome, job_id, round(run_seconds::numeric, 3) AS run_seconds, minute
FROM (
    SELECT lane, task, outcome, slowest_job_id AS job_id, slowest_seconds AS run_seconds, minute
    FROM attempt_minutes
    WHERE minute >= (SELECT since FROM times) AND (SELECT minutes FROM asked) <= 600
    UNION ALL
    SELECT lane, task, outcome, slowest_job_id, slowest_seconds, minute
    FROM attempt_tens
    WHERE minute >= (SELECT since FROM times) - interval '10 min'
        AND (SELECT minutes FROM asked) > 600
    UNION ALL
    (
        SELECT DISTINCT ON (minute, lane, task, outcome)
            lane, task, outcome, job_id, run_seconds, minute
        FROM attempts_unrolled
        WHERE finished_at >= (SELECT since FROM times)
        ORDER BY minute, lane, task, outcome, run_seconds DESC, job_id
    )
) ended
ORDER BY ended.run_seconds DESC, ended.job_id
LIMIT 50
