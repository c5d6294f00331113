-- Has a picture's next try buy another answer, while the attempt that says so holds the lease.
UPDATE publication_pictures
SET rejected = rejected + 1
FROM publications
WHERE publications.id = publication_id AND publication_pictures.id = :picture_id
    AND EXISTS (
        SELECT FROM attempts JOIN steps USING (job_id)
        WHERE attempts.id = :attempt_id AND attempts.finished_at IS NULL
            AND steps.run_id = publications.run_id
    )
