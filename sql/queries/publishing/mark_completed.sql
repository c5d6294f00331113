-- Marks pictures as held by their fields, and keeps the post's address, while the attempt that saw it
-- holds the lease.
WITH theirs AS (
    UPDATE publications
    SET post_url = :post_url
    WHERE id = :publication_id AND EXISTS (
        SELECT FROM attempts JOIN steps USING (job_id)
        WHERE attempts.id = :attempt_id AND attempts.finished_at IS NULL
            AND steps.run_id = publications.run_id
    )
    RETURNING id
)
UPDATE publication_pictures
SET wp_status = 'completed', error = NULL, completed_at = clock_timestamp()
FROM theirs
WHERE theirs.id = publication_id AND publication_pictures.id = ANY(:ids)
