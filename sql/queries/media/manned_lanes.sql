-- The lanes that a worker with a fresh heartbeat takes.
SELECT DISTINCT l.lane
FROM worker_lanes l
JOIN procrastinate_workers w ON w.id = l.worker_id
WHERE w.last_heartbeat > now() - make_interval(secs => l.stale_seconds)
