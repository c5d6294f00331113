-- Which steps went wrong and will be tried again, and when?
--
-- job_id, run_id, lane, task, label
-- due_at, due_in_seconds
-- attempts_left        tries left, this one included
-- error_class, error   why the last try ended
--
-- Cost: the 200 that are due first, by the index of scheduled steps; of 5 000 scheduled ones at most,
-- looked up one by one.
SELECT
    j.id AS job_id,
    s.run_id,
    j.queue_name AS lane,
    j.task_name AS task,
    s.label,
    j.scheduled_at AS due_at,
    round(extract(epoch FROM j.scheduled_at - now()), 1) AS due_in_seconds,
    s.max_attempts - j.attempts AS attempts_left,
    last.error_class,
    left(last.error_message, 300) AS error
FROM (
    SELECT *
    FROM procrastinate_jobs
    WHERE status = 'todo' AND scheduled_at IS NOT NULL
    ORDER BY scheduled_at
    LIMIT 5000
) j
JOIN LATERAL (SELECT * FROM steps WHERE job_id = j.id LIMIT 1) s ON s.waiting_kind = 'retry'
LEFT JOIN LATERAL (
    SELECT error_class, error_message
    FROM attempts
    WHERE job_id = j.id
    ORDER BY id DESC
    LIMIT 1
) last ON true
ORDER BY j.scheduled_at, j.id
LIMIT 200
