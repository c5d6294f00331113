-- Which attempts took longest?
-- The last hour; another stretch with SET darkroom.minutes = 1440.
--
-- lane, task, outcome
-- job_id               the step
-- run_seconds          from start to end
-- minute               when it ended
--
-- Of each minute, task and outcome only the longest counts.
-- Cost: reads the minute rollups; the minutes not rolled up yet from the newest 20 000 attempts.
WITH asked AS (
    SELECT now() - make_interval(
        mins => coalesce(nullif(current_setting('darkroom.minutes', true), ''), '60')::int
    ) AS since
)
SELECT lane, task, outcome, job_id, round(run_seconds::numeric, 3) AS run_seconds, minute
FROM (
    SELECT lane, task, outcome, slowest_job_id AS job_id, slowest_seconds AS run_seconds, minute
    FROM attempt_minutes
    WHERE minute >= (SELECT since FROM asked)
    UNION ALL
    (
        SELECT DISTINCT ON (minute, lane, task, outcome)
            lane, task, outcome, job_id, run_seconds, minute
        FROM attempts_unrolled
        WHERE finished_at >= (SELECT since FROM asked)
        ORDER BY minute, lane, task, outcome, run_seconds DESC, job_id
    )
) ended
ORDER BY ended.run_seconds DESC, ended.job_id
LIMIT 50
