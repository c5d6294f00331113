-- Lock the open steps that look up a run's location; answers their job ids.
SELECT j.id
FROM steps s
JOIN procrastinate_jobs j ON j.id = s.job_id
WHERE s.run_id = :run_id AND s.name = 'counting.locate' AND s.finished_at IS NULL
ORDER BY j.id
FOR UPDATE OF j
