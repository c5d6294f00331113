-- Remove the rows of workers that are long dead and hold nothing.
WITH dead AS (
    DELETE FROM procrastinate_workers w
    WHERE w.last_heartbeat < now() - make_interval(secs => :stale_seconds)
        AND NOT EXISTS (
            SELECT 1 FROM attempts a WHERE a.worker_id = w.id AND a.finished_at IS NULL
        )
    RETURNING w.id
)
DELETE FROM worker_lanes l USING dead WHERE l.worker_id = dead.id
