-- Marks a variant as being made, while the attempt that says so holds the lease.
UPDATE generations
SET status = 'generating', prompt = :prompt, error = NULL
WHERE id = :generation_id AND status IN ('pending', 'generating')
    AND EXISTS (
        SELECT FROM attempts JOIN steps USING (job_id)
        WHERE attempts.id = :attempt_id AND attempts.finished_at IS NULL
            AND steps.run_id = generations.run_id
    )
