-- What the last attempts of a job logged, by attempt.
SELECT id, log FROM attempts
WHERE job_id = :job_id AND log IS NOT NULL
ORDER BY id DESC
LIMIT :most
