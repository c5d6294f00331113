-- Make scheduled jobs due and wake their lanes; answers the times they had.
WITH held AS MATERIALIZED (
    SELECT id, scheduled_at
    FROM procrastinate_jobs
    WHERE id = ANY(:job_ids) AND status = 'todo' AND scheduled_at IS NOT NULL
    ORDER BY id
    FOR UPDATE
),
moved AS (
    UPDATE procrastinate_jobs j
    SET scheduled_at = NULL
    FROM held h
    WHERE j.id = h.id
    RETURNING j.id, j.queue_name, h.scheduled_at AS had
),
woken AS (
    SELECT count(darkroom_wake_lane_v1(lane)::text) AS lanes
    FROM (SELECT DISTINCT queue_name AS lane FROM moved) l
)
SELECT moved.id, moved.had FROM moved CROSS JOIN woken
