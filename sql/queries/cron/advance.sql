-- A due time has passed: say when the next is, how many nobody ran, and the job that runs now.
UPDATE crons
SET next_at = :next_at,
    missed = missed + :missed,
    last_missed_at = CASE WHEN :missed > 0 THEN cast(:now AS timestamptz) ELSE last_missed_at END,
    running_job_id = coalesce(:job_id, running_job_id),
    last_job_id = coalesce(:job_id, last_job_id)
WHERE name = :name
