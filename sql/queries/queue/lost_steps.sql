-- Open attempts whose worker is gone: no heartbeat for a while, or its own process does not know
-- them. SKIP LOCKED, because a frozen worker may sleep inside a transaction on such a row.
SELECT
    a.id AS attempt_id,
    a.number AS attempt_number,
    j.id AS job_id,
    j.task_name,
    j.queue_name AS lane,
    j.args,
    j.priority,
    j.attempts AS burned,
    coalesce(s.max_attempts, 3) AS max_attempts,
    s.run_id,
    s.owner_id,
    a.worker_id
FROM attempts a
JOIN procrastinate_jobs j ON j.id = a.job_id
LEFT JOIN steps s ON s.job_id = j.id
LEFT JOIN procrastinate_workers w ON w.id = a.worker_id
WHERE a.finished_at IS NULL
    AND (
        w.id IS NULL
        OR w.last_heartbeat < now() - make_interval(secs => :stale_seconds)
        OR (
            a.worker_id = ANY(:mine)
            AND a.started_at < now() - make_interval(secs => :stale_seconds)
        )
    )
    -- Whoever asks knows better than a late heartbeat (a laptop that slept, a database that was away).
    AND NOT a.id = ANY(:running)
ORDER BY a.id
LIMIT 1000
FOR UPDATE OF a SKIP LOCKED
