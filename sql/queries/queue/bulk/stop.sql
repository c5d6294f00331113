-- Ask those of the jobs that run to stop at their next checkpoint. Whoever is ending a job just now
-- holds its row: that one is left to end.
WITH held AS MATERIALIZED (
    SELECT id
    FROM procrastinate_jobs
    WHERE id = ANY(:job_ids) AND status = 'doing' AND NOT abort_requested
    ORDER BY id
    FOR UPDATE SKIP LOCKED
)
UPDATE procrastinate_jobs j
SET abort_requested = true
FROM held h
WHERE j.id = h.id
RETURNING j.id
