-- Delete ended jobs of runs, with their steps, attempts and events; answers how many.
WITH doomed AS (
    SELECT j.id
    FROM steps s
    JOIN procrastinate_jobs j ON j.id = s.job_id
    WHERE s.run_id = ANY(:run_ids) AND j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
    LIMIT :size
    FOR UPDATE OF j SKIP LOCKED
),
gone AS (
    DELETE FROM procrastinate_jobs j USING doomed d WHERE j.id = d.id RETURNING j.id
)
SELECT count(*) FROM gone
