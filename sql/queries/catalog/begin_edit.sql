-- Marks an edit as going on, while the attempt that says so holds the lease; said again by the same
-- attempt it began when it was said first.
UPDATE catalog_edits
SET estado = 'processing', intentos = :attempt, prompt = :prompt, error_message = NULL,
    error_stack = NULL, updated_at = clock_timestamp(),
    started_at = CASE
        WHEN estado = 'processing' AND intentos = :attempt THEN started_at
        ELSE clock_timestamp()
    END
WHERE id = :edit_id AND estado IN ('pending', 'processing')
    AND EXISTS (
        SELECT FROM attempts
        WHERE id = :attempt_id AND job_id = catalog_edits.job_id AND finished_at IS NULL
    )
