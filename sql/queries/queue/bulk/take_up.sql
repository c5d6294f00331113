-- The reverse of give_up: what was laid to rest counts as failed again.
WITH held AS MATERIALIZED (
    SELECT j.id
    FROM procrastinate_jobs j
    WHERE j.id = ANY(:job_ids) AND j.status = 'cancelled'
    ORDER BY j.id
    FOR UPDATE
)
UPDATE procrastinate_jobs j
SET status = 'failed'
FROM held h
WHERE j.id = h.id
RETURNING j.id
