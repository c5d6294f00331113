-- Which of these jobs can be queued again now, and which others must be with them (`asked` false):
-- what was dropped or stopped when a run ended goes on with it. A callback waits for its children:
-- if one of them is to run again it is enqueued anew when they end; and while it is open itself its
-- children stay as they are. The caller holds the fan-ins and runs.
WITH asked AS MATERIALIZED (
    SELECT j.id, j.queueing_lock, s.run_id, s.fan_in_id, s.callback_of
    FROM procrastinate_jobs j
    LEFT JOIN steps s ON s.job_id = j.id
    LEFT JOIN runs r ON r.id = s.run_id
    WHERE j.id = ANY(:job_ids)
        AND j.status IN ('failed', 'cancelled', 'aborted')
        -- Not while other steps of a run that is to stop are still stopping.
        AND (
            r.id IS NULL
            OR r.open_steps = 0
            OR (r.status IN ('pending', 'running') AND r.cancel_requested_at IS NULL)
        )
    ORDER BY j.id
    FOR UPDATE OF j
),
companions AS (
    SELECT s.job_id, j.queueing_lock, s.run_id, s.fan_in_id, s.callback_of
    FROM steps s
    JOIN runs r ON r.id = s.run_id
    JOIN procrastinate_jobs j ON j.id = s.job_id
    WHERE s.run_id IN (SELECT a.run_id FROM asked a)
        AND r.status NOT IN ('pending', 'running')
        AND j.status IN ('cancelled', 'aborted')
        -- A child that a person gave up has been counted as failed: it stays so.
        AND (s.error IS NULL OR s.fan_in_id IS NULL)
        AND NOT s.job_id = ANY(:job_ids)
),
again AS (
    SELECT g.*
    FROM (
        SELECT asked.*, true AS asked FROM asked
        UNION ALL
        SELECT companions.*, false FROM companions
    ) g
    -- Of a callback enqueued more than once only the newest counts.
    WHERE NOT EXISTS (
        SELECT FROM steps newer
        WHERE newer.run_id = g.run_id AND newer.callback_of = g.callback_of AND newer.job_id > g.id
    )
        -- Of a queueing lock one job may wait.
        AND NOT EXISTS (
            SELECT FROM procrastinate_jobs other
            WHERE other.queueing_lock = g.queueing_lock AND other.status = 'todo'
        )
        AND NOT EXISTS (
            SELECT FROM asked other
            WHERE other.queueing_lock = g.queueing_lock AND other.id > g.id
        )
)
SELECT a.id, a.asked
FROM again a
WHERE NOT EXISTS (SELECT FROM again child WHERE child.fan_in_id = a.callback_of)
    AND NOT EXISTS (
        SELECT
        FROM steps other
        JOIN procrastinate_jobs oj ON oj.id = other.job_id
        WHERE other.run_id = a.run_id
            AND oj.status IN ('todo', 'doing')
            AND (other.fan_in_id = a.callback_of OR other.callback_of = a.fan_in_id)
    )
ORDER BY a.id
