-- Marks an edit as waiting again, with what went wrong, while its attempt holds the lease.
UPDATE catalog_edits
SET estado = 'pending', error_message = :message, rejected = rejected + :rejected,
    cost = cost + :cost, updated_at = clock_timestamp()
WHERE id = :edit_id AND estado = 'processing'
    AND EXISTS (
        SELECT FROM attempts
        WHERE id = :attempt_id AND job_id = catalog_edits.job_id AND finished_at IS NULL
    )
