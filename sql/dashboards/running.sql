-- What runs now, where, since when, and how far is it?
--
-- job_id, run_id, lane, task, label, owner
-- attempt              which try this is
-- worker, started_at, running_seconds
-- progress             0 to 1
-- note, note_values    what it says it does: a sentence with {places}, and what fills them
-- beat_seconds         since its worker's last heartbeat; empty when the worker is gone
--
-- Cost: reads the open attempts, one a step that runs; 500 at most.
SELECT
    a.job_id,
    s.run_id,
    j.queue_name AS lane,
    j.task_name AS task,
    s.label,
    u.name AS owner,
    a.number AS attempt,
    a.worker,
    a.started_at,
    round(extract(epoch FROM now() - a.started_at), 1) AS running_seconds,
    round(s.progress::numeric, 3) AS progress,
    s.note,
    s.note_values,
    round(extract(epoch FROM now() - w.last_heartbeat), 1) AS beat_seconds
FROM attempts a
JOIN procrastinate_jobs j ON j.id = a.job_id
LEFT JOIN steps s ON s.job_id = a.job_id
LEFT JOIN users u ON u.id = s.owner_id
LEFT JOIN procrastinate_workers w ON w.id = a.worker_id
WHERE a.finished_at IS NULL
ORDER BY a.started_at, a.id
LIMIT 500
