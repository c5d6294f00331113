-- Put ended jobs back into the queue with all their attempts, and wake their lanes.
WITH requeued AS (
    UPDATE procrastinate_jobs
    SET status = 'todo', attempts = 0, scheduled_at = NULL, abort_requested = false, worker_id = NULL
    WHERE id = ANY(:job_ids)
    RETURNING queue_name
)
SELECT darkroom_wake_lane_v1(queue_name) FROM requeued GROUP BY queue_name
