-- Marks pictures as on their way to the site, while the attempt that says so holds the lease.
UPDATE publication_pictures
SET wp_status = 'uploading', error = NULL
FROM publications
WHERE publications.id = publication_id AND publication_pictures.id = ANY(:ids)
    AND wp_status <> 'completed'
    AND EXISTS (
        SELECT FROM attempts JOIN steps USING (job_id)
        WHERE attempts.id = :attempt_id AND attempts.finished_at IS NULL
            AND steps.run_id = publications.run_id
    )
