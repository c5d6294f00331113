-- Marks pictures as held by their fields, while the attempt that saw it holds the lease.
UPDATE publication_pictures
SET wp_status = 'completed', error = NULL, completed_at = clock_timestamp()
FROM publications
WHERE publications.id = publication_id AND publication_pictures.id = ANY(:ids)
    AND EXISTS (
        SELECT FROM attempts JOIN steps USING (job_id)
        WHERE attempts.id = :attempt_id AND attempts.finished_at IS NULL
            AND steps.run_id = publications.run_id
    )
