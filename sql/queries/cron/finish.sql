-- A cron job has done its work: what came of it.
UPDATE crons
SET running_job_id = NULL,
    last_finished_at = clock_timestamp(),
    last_outcome = 'succeeded',
    last_result = cast(:result AS jsonb),
    last_error = NULL
WHERE name = :name AND running_job_id = :job_id
