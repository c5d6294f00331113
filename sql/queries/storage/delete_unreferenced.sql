-- Delete those of the assets that no row of any table refers to; answers how many.
WITH gone AS (
    DELETE FROM assets
    WHERE id = ANY(:ids)
        AND id NOT IN (SELECT darkroom_referenced_v1('assets', cast(:ids AS uuid[]), '{}'))
    RETURNING id
)
SELECT count(*) FROM gone
