-- How long an edit takes in seconds, as the median of the last hundred (null: there is none), and how
-- many wait or go on.
SELECT
    (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM lasted))
        FROM (
            SELECT completed_at - started_at AS lasted
            FROM catalog_edits
            WHERE estado = 'completed'
            ORDER BY id DESC
            LIMIT 100
        ) recent
    ) AS seconds,
    (SELECT count(*) FROM catalog_edits WHERE estado IN ('pending', 'processing')) AS queued
