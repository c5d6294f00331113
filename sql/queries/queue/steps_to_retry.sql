-- The steps of a run to queue again: all that failed, or only one of them (:only), and with them
-- what was dropped or stopped. A callback waits for its children: if one of them is to run again it
-- is enqueued anew when they end; and while it is open itself its children stay as they are.
WITH again AS (
    SELECT s.job_id, s.fan_in_id, s.callback_of
    FROM steps s
    JOIN procrastinate_jobs j ON j.id = s.job_id
    WHERE s.run_id = :run_id
        AND (
            j.status IN ('cancelled', 'aborted')
            OR j.status = 'failed' AND s.job_id = coalesce(:only, s.job_id)
        )
        -- Of a callback enqueued more than once only the newest counts.
        AND NOT EXISTS (
            SELECT 1 FROM steps newer
            WHERE newer.callback_of = s.callback_of AND newer.job_id > s.job_id
        )
)
SELECT a.job_id
FROM again a
WHERE NOT EXISTS (SELECT 1 FROM again child WHERE child.fan_in_id = a.callback_of)
    AND NOT EXISTS (
        SELECT 1
        FROM steps other
        JOIN procrastinate_jobs oj ON oj.id = other.job_id
        WHERE oj.status IN ('todo', 'doing')
            AND (other.fan_in_id = a.callback_of OR other.callback_of = a.fan_in_id)
    )
ORDER BY a.job_id
