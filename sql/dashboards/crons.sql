-- Do the cron jobs run as they should?
--
-- name, purpose
-- schedule             in UTC
-- health               ok, running, late (due for over a minute), failed, off, never (has not run yet)
-- next_at
-- last_started_at, last_finished_at, last_seconds, last_outcome
-- missed, last_missed_at
--                      due times nobody was there for, or that came while the run before went on
-- last_result, last_error
-- running_job_id       the job that waits or runs
-- enabled              false where somebody switched it off
--
-- Cost: one row a cron job.
SELECT
    c.name,
    c.purpose,
    c.schedule,
    CASE
        WHEN j.status = 'doing' THEN 'running'
        WHEN NOT c.enabled OR c.schedule = 'off' THEN 'off'
        WHEN c.next_at < now() - interval '1 min' THEN 'late'
        WHEN c.last_outcome = 'failed' THEN 'failed'
        WHEN c.last_outcome IS NULL THEN 'never'
        ELSE 'ok'
    END AS health,
    c.next_at,
    c.last_started_at,
    c.last_finished_at,
    CASE WHEN c.last_finished_at >= c.last_started_at
        THEN round(extract(epoch FROM c.last_finished_at - c.last_started_at), 1)
    END AS last_seconds,
    c.last_outcome,
    c.missed,
    c.last_missed_at,
    c.last_result,
    left(c.last_error, 300) AS last_error,
    CASE WHEN j.status IN ('todo', 'doing') THEN c.running_job_id END AS running_job_id,
    c.enabled
FROM crons c
LEFT JOIN procrastinate_jobs j ON j.id = c.running_job_id
ORDER BY c.name
LIMIT 500
