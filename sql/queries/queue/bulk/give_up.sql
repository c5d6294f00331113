-- Lay failed jobs to rest: they keep their error and their attempts, but are no dead letters more.
WITH held AS MATERIALIZED (
    SELECT id
    FROM procrastinate_jobs
    WHERE id = ANY(:job_ids) AND status = 'failed'
    ORDER BY id
    FOR UPDATE
)
UPDATE procrastinate_jobs j
SET status = 'cancelled'
FROM held h
WHERE j.id = h.id
RETURNING j.id
