-- Which workers are there, do they live, and what are they doing?
--
-- worker               host, process and lane
-- lane, slots
-- running              steps it has
-- started_at
-- beat_seconds         since its last heartbeat
-- lives                true with a heartbeat within its stale time (DARKROOM_STALE_SECONDS)
--
-- Cost: one row a lane of each worker process.
SELECT
    l.name AS worker,
    l.lane,
    l.slots,
    count(a.id) AS running,
    l.started_at,
    round(extract(epoch FROM now() - w.last_heartbeat), 1) AS beat_seconds,
    coalesce(w.last_heartbeat > now() - make_interval(secs => l.stale_seconds), false) AS lives
FROM worker_lanes l
LEFT JOIN procrastinate_workers w ON w.id = l.worker_id
LEFT JOIN attempts a ON a.worker_id = l.worker_id AND a.finished_at IS NULL
GROUP BY l.worker_id, w.last_heartbeat
ORDER BY l.lane, l.name
LIMIT 500
