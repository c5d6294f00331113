-- How many steps of a run are in each state that people see.
SELECT
    CASE j.status
        WHEN 'todo' THEN CASE WHEN j.scheduled_at IS NULL THEN 'waiting' ELSE 'scheduled' END
        WHEN 'doing' THEN 'running'
        WHEN 'succeeded' THEN 'succeeded'
        WHEN 'failed' THEN 'failed'
        ELSE 'cancelled'
    END AS state,
    count(*) AS steps
FROM steps s
JOIN procrastinate_jobs j ON j.id = s.job_id
WHERE s.run_id = :run_id
GROUP BY 1
ORDER BY 1
