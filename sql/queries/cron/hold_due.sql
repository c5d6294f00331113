-- Take the cron jobs of these that are due, each with whether it still waits or runs.
SELECT
    c.name, c.lane, c.max_attempts, c.schedule, c.next_at,
    coalesce(:now, now()) AS now,
    EXISTS (
        SELECT FROM procrastinate_jobs j
        WHERE j.id = c.running_job_id AND j.status IN ('todo', 'doing')
    ) AS is_busy
FROM crons c
WHERE c.name = ANY(:names) AND c.next_at <= coalesce(:now, now())
ORDER BY c.name
FOR UPDATE OF c SKIP LOCKED
