-- Does some worker live?
SELECT EXISTS (
    SELECT
    FROM procrastinate_workers w
    JOIN worker_lanes l ON l.worker_id = w.id
    WHERE w.last_heartbeat > now() - make_interval(secs => l.stale_seconds)
)
