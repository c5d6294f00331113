-- Close a lost attempt whose job was ended or put back past the engine.
UPDATE attempts a
SET finished_at = clock_timestamp(), outcome = 'lost'
WHERE a.id = :attempt_id
    AND a.finished_at IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs j WHERE j.id = a.job_id AND j.status = 'doing'
    )
