-- Cron jobs that have waited or run for over an hour.
SELECT c.name, c.running_job_id, j.status, s.waiting_for, s.created_at
FROM crons c
JOIN procrastinate_jobs j ON j.id = c.running_job_id
LEFT JOIN steps s ON s.job_id = j.id
WHERE j.status IN ('todo', 'doing') AND s.created_at < now() - interval '1 hour'
ORDER BY c.name
