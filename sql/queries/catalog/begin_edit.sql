-- Marks an edit as going on, while the attempt that says so holds the lease.
UPDATE catalog_edits
SET estado = 'processing', intentos = :attempt, prompt = :prompt, error_message = NULL,
    error_stack = NULL, started_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE id = :edit_id AND estado IN ('pending', 'processing')
    AND EXISTS (
        SELECT FROM attempts
        WHERE id = :attempt_id AND job_id = catalog_edits.job_id AND finished_at IS NULL
    )
