-- Give jobs that still wait the times back that they had, where those lie ahead.
WITH held AS MATERIALIZED (
    SELECT j.id, t.at
    FROM procrastinate_jobs j
    JOIN unnest(CAST(:job_ids AS bigint[]), CAST(:times AS timestamptz[])) AS t(id, at) ON t.id = j.id
    WHERE j.status = 'todo' AND j.scheduled_at IS NULL AND t.at > now()
    ORDER BY j.id
    FOR UPDATE OF j
)
UPDATE procrastinate_jobs j
SET scheduled_at = h.at
FROM held h
WHERE j.id = h.id
RETURNING j.id
