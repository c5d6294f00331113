-- How far the newest containers that people reviewed were miscounted, in standard errors computed
-- without a scale. What a person entered is true; else the count with their plants in place. One
-- merely accepted is true where all its plants were seen; an estimate accepted says nothing. Counts
-- made again are trials, perhaps with other weights, and say nothing either.
SELECT
    (
        CASE
            WHEN said.corrected AND NOT said.entered THEN c.total_unbiased
            ELSE c.total_reviewed
        END - c.model_unbiased
    ) / c.model_error
FROM containers c
JOIN photo_processing_sessions s ON s.id = c.session_id AND s.rerun_of_id IS NULL
CROSS JOIN LATERAL (
    SELECT
        coalesce(bool_or(x.action = 'total'), false) AS entered,
        coalesce(bool_or(x.action IN ('add', 'remove', 'move')), false) AS corrected
    FROM corrections x
    WHERE x.container_id = c.id AND x.applied_at IS NOT NULL
) said
WHERE
    c.reviewed_at IS NOT NULL
    AND c.model_error > 0
    AND (said.entered OR said.corrected OR c.total_estimated = 0)
ORDER BY c.reviewed_at DESC
LIMIT 1000
