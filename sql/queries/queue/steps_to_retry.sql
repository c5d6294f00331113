-- The steps of a run that a retry of it is to queue again: those that failed, were dropped or stopped.
-- Children that a person gave up stay as they are, unless there is nothing else.
WITH ended AS (
    SELECT
        s.job_id,
        j.status <> 'failed' AND s.error IS NOT NULL AND s.fan_in_id IS NOT NULL AS given_up
    FROM steps s
    JOIN procrastinate_jobs j ON j.id = s.job_id
    WHERE s.run_id = :run_id AND j.status IN ('failed', 'cancelled', 'aborted')
)
SELECT job_id
FROM ended
WHERE given_up = (SELECT bool_and(given_up) FROM ended)
ORDER BY job_id
