-- A run's steps in the order they were enqueued, with the state people see.
SELECT
    s.job_id,
    s.name,
    s.label,
    CASE j.status
        WHEN 'todo' THEN CASE WHEN j.scheduled_at IS NULL THEN 'waiting' ELSE 'scheduled' END
        WHEN 'doing' THEN 'running'
        WHEN 'succeeded' THEN 'succeeded'
        WHEN 'failed' THEN 'failed'
        ELSE 'cancelled'
    END AS state,
    j.queue_name AS lane,
    s.progress,
    s.note,
    s.note_values,
    s.waiting_for,
    CASE WHEN j.status = 'todo' THEN j.scheduled_at END AS scheduled_at,
    s.error,
    s.created_at,
    s.finished_at
FROM steps s
JOIN procrastinate_jobs j ON j.id = s.job_id
WHERE s.run_id = :run_id
ORDER BY s.job_id
