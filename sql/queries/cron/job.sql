-- How one job of a cron stands.
SELECT j.status::text AS status, s.note, s.note_values, s.result, s.error ->> 'message' AS error
FROM procrastinate_jobs j
JOIN steps s ON s.job_id = j.id
WHERE j.id = :job_id
