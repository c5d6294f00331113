-- Make the edits that wait for the catalog's pause to end, or for money, due now, and wake their
-- lane; how many.
-- Runs first, then jobs: in the order that everybody takes them.
WITH waiting AS MATERIALIZED (
    SELECT job_id, run_id FROM steps
    WHERE name = 'catalog.edit' AND waiting_kind = :kind AND finished_at IS NULL
),
held_runs AS MATERIALIZED (
    SELECT id FROM runs WHERE id IN (SELECT run_id FROM waiting) ORDER BY id FOR NO KEY UPDATE
),
held AS MATERIALIZED (
    SELECT id FROM procrastinate_jobs
    WHERE id IN (SELECT job_id FROM waiting) AND status = 'todo' AND scheduled_at IS NOT NULL
        AND (SELECT count(*) FROM held_runs) >= 0
    ORDER BY id
    FOR UPDATE
),
moved AS (
    UPDATE procrastinate_jobs j SET scheduled_at = NULL
    FROM held h WHERE j.id = h.id
    RETURNING j.queue_name
),
woken AS (
    SELECT count(darkroom_wake_lane_v1(lane)::text) AS lanes
    FROM (SELECT DISTINCT queue_name AS lane FROM moved) l
)
SELECT count(*) + 0 * (SELECT lanes FROM woken) FROM moved
