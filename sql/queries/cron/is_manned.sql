-- Whether a worker that lives works on the lane of a cron job.
SELECT EXISTS (
    SELECT FROM crons c
    JOIN worker_lanes l ON l.lane = c.lane
    JOIN procrastinate_workers w ON w.id = l.worker_id
    WHERE c.name = :name AND w.last_heartbeat > now() - make_interval(secs => l.stale_seconds)
)
