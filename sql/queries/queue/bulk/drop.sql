-- Cancel those of the jobs that wait in the queue.
WITH held AS MATERIALIZED (
    SELECT id
    FROM procrastinate_jobs
    WHERE id = ANY(:job_ids) AND status = 'todo'
    ORDER BY id
    FOR UPDATE
)
UPDATE procrastinate_jobs j
SET status = 'cancelled'
FROM held h
WHERE j.id = h.id
RETURNING j.id
