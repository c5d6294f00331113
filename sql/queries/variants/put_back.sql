-- Marks a variant as waiting again, with what went wrong, while its attempt holds the lease.
UPDATE generations
SET status = 'pending', error = :message, rejected = rejected + :rejected
WHERE id = :generation_id AND status IN ('pending', 'generating')
    AND EXISTS (
        SELECT FROM attempts JOIN steps USING (job_id)
        WHERE attempts.id = :attempt_id AND attempts.finished_at IS NULL
            AND steps.run_id = generations.run_id
    )
