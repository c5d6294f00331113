-- Which steps failed for good?
--
-- job_id, run_id, lane, task, label, owner
-- failed_at
-- attempts             tries made
-- error_class, error   why the last one ended
--
-- The newest first. Cost: 200 rows by the index of failed jobs.
SELECT
    j.id AS job_id,
    s.run_id,
    j.queue_name AS lane,
    j.task_name AS task,
    s.label,
    u.name AS owner,
    coalesce(s.finished_at, last.finished_at) AS failed_at,
    j.attempts,
    coalesce(s.error ->> 'class', last.error_class) AS error_class,
    left(coalesce(s.error ->> 'message', last.error_message), 300) AS error
FROM (
    SELECT *
    FROM procrastinate_jobs
    WHERE status = 'failed'
    ORDER BY id DESC
    LIMIT 200
) j
LEFT JOIN steps s ON s.job_id = j.id
LEFT JOIN users u ON u.id = s.owner_id
LEFT JOIN LATERAL (
    SELECT error_class, error_message, finished_at
    FROM attempts
    WHERE job_id = j.id
    ORDER BY id DESC
    LIMIT 1
) last ON true
ORDER BY j.id DESC
LIMIT 200
