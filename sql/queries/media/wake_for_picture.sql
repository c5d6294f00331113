-- Lets those go on that wait for a picture, now that it is made. They wait a few seconds at most.
WITH waiting AS (
    SELECT j.id
    FROM procrastinate_jobs j
    JOIN steps s ON s.job_id = j.id AND s.waiting_kind = :kind AND s.waiting_on = :key
    WHERE j.status = 'todo' AND j.scheduled_at <= now() + interval '1 min'
    FOR UPDATE OF j SKIP LOCKED
),
moved AS (
    UPDATE procrastinate_jobs j SET scheduled_at = NULL
    FROM waiting w
    WHERE j.id = w.id
    RETURNING j.queue_name
)
SELECT darkroom_wake_lane_v1(queue_name) FROM moved GROUP BY queue_name
