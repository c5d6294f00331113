-- Hold the runs of these jobs, in the order everybody takes them.
SELECT r.id
FROM runs r
WHERE r.id IN (SELECT s.run_id FROM steps s WHERE s.job_id = ANY(:job_ids))
ORDER BY r.id
FOR NO KEY UPDATE
