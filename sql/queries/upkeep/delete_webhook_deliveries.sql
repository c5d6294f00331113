-- Delete webhook deliveries older than :seconds that are over; answers their runs.
DELETE FROM webhook_deliveries
WHERE id = ANY(ARRAY(
    SELECT d.id FROM webhook_deliveries d
    WHERE d.created_at < now() - make_interval(secs => :seconds)
        AND NOT EXISTS (
            SELECT FROM procrastinate_jobs j
            WHERE j.id = d.job_id AND j.status IN ('todo', 'doing')
        )
    ORDER BY d.created_at
    LIMIT :size FOR UPDATE SKIP LOCKED
))
RETURNING run_id
