-- Look through jobs in the order they were enqueued and delete those that belong to no run and ended
-- before a time, with their steps, attempts and events. Answers how many went, the last job looked
-- at (null: there are no more), and when the oldest of these jobs was enqueued, where known.
WITH page AS MATERIALIZED (
    SELECT
        j.id,
        j.status,
        s.created_at,
        CASE WHEN s.run_id IS NULL AND j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
            THEN coalesce(
                s.finished_at,
                (SELECT max(a.finished_at) FROM attempts a WHERE a.job_id = j.id),
                (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id),
                s.created_at
            )
        END AS ended_at
    FROM procrastinate_jobs j
    LEFT JOIN steps s ON s.job_id = j.id
    WHERE j.id > :after
    ORDER BY j.id
    LIMIT :size
),
doomed AS (
    SELECT j.id
    FROM page p
    JOIN procrastinate_jobs j ON j.id = p.id AND j.status = p.status
    WHERE p.ended_at < CASE p.status
        WHEN 'failed' THEN cast(:failed_before AS timestamptz) ELSE :finished_before END
    FOR UPDATE OF j SKIP LOCKED
),
gone AS (
    DELETE FROM procrastinate_jobs j USING doomed d WHERE j.id = d.id RETURNING j.id
)
SELECT
    (SELECT count(*) FROM gone) AS steps,
    (SELECT max(id) FROM page) AS last,
    (SELECT min(created_at) FROM page) AS oldest
