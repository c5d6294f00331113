-- Jobs as a list shows them, newest first. `number`, `started_at` and the error are those of the
-- last attempt; the error stays until the job succeeds.
SELECT
    j.id,
    j.task_name AS task,
    CASE j.status
        WHEN 'todo' THEN CASE WHEN j.scheduled_at IS NULL THEN 'waiting' ELSE 'scheduled' END
        WHEN 'doing' THEN 'running'
        WHEN 'succeeded' THEN 'succeeded'
        WHEN 'failed' THEN 'failed'
        ELSE 'cancelled'
    END AS state,
    j.abort_requested AS stopping,
    j.queue_name AS lane,
    j.priority,
    j.attempts AS burned,
    coalesce(s.max_attempts, 3) AS max_attempts,
    CASE WHEN j.status = 'todo' THEN j.scheduled_at END AS scheduled_at,
    u.id AS owner_id,
    u.name AS owner,
    s.run_id,
    r.title AS run_title,
    coalesce(s.label, '') AS label,
    coalesce(s.progress, 0) AS progress,
    coalesce(s.note, '') AS note,
    coalesce(s.note_values, '{}') AS note_values,
    s.created_at,
    a.number,
    a.worker,
    a.started_at,
    coalesce(s.finished_at, a.finished_at) AS finished_at,
    CASE WHEN j.status = 'succeeded' THEN NULL
        ELSE coalesce(s.error ->> 'class', a.error_class) END AS error_class,
    CASE WHEN j.status = 'succeeded' THEN NULL
        ELSE coalesce(s.error ->> 'message', a.error_message) END AS error_message
FROM procrastinate_jobs j
LEFT JOIN steps s ON s.job_id = j.id
LEFT JOIN runs r ON r.id = s.run_id
LEFT JOIN users u ON u.id = j.owner_id
LEFT JOIN LATERAL (
    SELECT t.number, t.worker, t.started_at, t.finished_at, t.error_class, t.error_message
    FROM attempts t
    WHERE t.job_id = j.id
    ORDER BY t.id DESC
    LIMIT 1
) a ON true
WHERE j.id = ANY(:job_ids)
ORDER BY j.id DESC
