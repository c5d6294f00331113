-- Hold the fan-ins these jobs are children of, in the order everybody takes them.
SELECT f.id
FROM fan_ins f
WHERE f.id IN (SELECT s.fan_in_id FROM steps s WHERE s.job_id = ANY(:job_ids))
ORDER BY f.id
FOR NO KEY UPDATE
