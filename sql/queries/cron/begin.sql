-- A job starts to run as the cron job it is.
UPDATE crons
SET running_job_id = :job_id, last_job_id = :job_id, last_started_at = clock_timestamp()
WHERE name = :name
