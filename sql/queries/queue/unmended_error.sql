-- The error of the first step that failed the run and was not made good; none when all is well.
SELECT s.error
FROM steps s
JOIN procrastinate_jobs j ON j.id = s.job_id
LEFT JOIN fan_ins f ON f.id = s.fan_in_id
WHERE s.run_id = :run_id
    AND j.status = 'failed'
    -- A child that failed is for the callback to judge, unless all its siblings did.
    AND (f.id IS NULL OR f.failed = f.children)
    AND NOT EXISTS (
        SELECT 1 FROM steps newer
        WHERE newer.callback_of = s.callback_of AND newer.job_id > s.job_id
    )
ORDER BY s.job_id
LIMIT 1
