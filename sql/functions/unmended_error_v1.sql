-- The error of the first step that failed a run and was not made good; null when all is well.
-- depends: 0006_fairness

CREATE FUNCTION darkroom_unmended_error_v1(of_run uuid)
    RETURNS jsonb
    LANGUAGE sql
AS $$
    SELECT s.error
    FROM steps s
    JOIN procrastinate_jobs j ON j.id = s.job_id
    LEFT JOIN fan_ins f ON f.id = s.fan_in_id
    WHERE s.run_id = of_run
        AND s.error IS NOT NULL
        AND j.status = 'failed'
        -- A child that failed is for the callback to judge, unless all its siblings did.
        AND (f.id IS NULL OR f.failed = f.children)
        AND NOT EXISTS (
            SELECT 1 FROM steps newer
            WHERE newer.callback_of = s.callback_of AND newer.job_id > s.job_id
        )
    ORDER BY s.job_id
    LIMIT 1
$$;
