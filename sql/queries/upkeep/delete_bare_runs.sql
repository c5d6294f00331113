-- Delete those of the runs whose steps are gone and that nothing refers to; answers how many.
WITH gone AS (
    DELETE FROM runs r
    WHERE r.id = ANY(:run_ids)
        AND r.steps_deleted_at IS NOT NULL
        AND r.id NOT IN (
            SELECT darkroom_referenced_v1('runs', cast(:run_ids AS uuid[]), '{steps,fan_ins}')
        )
    RETURNING r.id
)
SELECT count(*) FROM gone
