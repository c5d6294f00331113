-- Have a delivery that waits for its next try sent now.
WITH hurried AS (
    UPDATE procrastinate_jobs j
    SET scheduled_at = NULL
    FROM webhook_deliveries d
    WHERE d.id = :delivery_id AND j.id = d.job_id
        AND j.status = 'todo' AND j.scheduled_at IS NOT NULL
    RETURNING j.queue_name
)
SELECT darkroom_wake_lane_v1(queue_name) FROM hurried
