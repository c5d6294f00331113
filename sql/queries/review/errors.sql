-- How far the newest containers that people reviewed were miscounted, in standard errors computed
-- without a scale. What a person entered is true; else the count with their plants in place; one
-- accepted as it was counted right.
SELECT
    CASE
        WHEN said.entered THEN c.total_reviewed - c.model_unbiased
        WHEN said.corrected THEN c.total_unbiased - c.model_unbiased
        ELSE 0
    END / c.model_error
FROM containers c
CROSS JOIN LATERAL (
    SELECT
        coalesce(bool_or(x.action = 'total'), false) AS entered,
        coalesce(bool_or(x.action IN ('add', 'remove', 'move')), false) AS corrected
    FROM corrections x
    WHERE x.container_id = c.id AND x.applied_at IS NOT NULL
) said
WHERE c.reviewed_at IS NOT NULL AND c.model_error > 0
ORDER BY c.reviewed_at DESC
LIMIT 1000
