-- Give waiting jobs another priority; answers what they had.
WITH held AS MATERIALIZED (
    SELECT id, priority
    FROM procrastinate_jobs
    WHERE id = ANY(:job_ids) AND status = 'todo' AND priority <> :priority
    ORDER BY id
    FOR UPDATE
)
UPDATE procrastinate_jobs j
SET priority = :priority
FROM held h
WHERE j.id = h.id
RETURNING j.id, h.priority AS had
