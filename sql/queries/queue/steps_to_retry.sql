-- The steps of a run that ended without success, but for callbacks whose children are to run
-- again: those are enqueued anew when the children end.
SELECT s.job_id
FROM steps s
JOIN procrastinate_jobs j ON j.id = s.job_id
WHERE s.run_id = :run_id
    AND j.status IN ('failed', 'cancelled', 'aborted')
    AND NOT EXISTS (
        SELECT 1
        FROM steps child
        JOIN procrastinate_jobs cj ON cj.id = child.job_id
        WHERE child.fan_in_id = s.callback_of
            AND cj.status IN ('failed', 'cancelled', 'aborted', 'todo', 'doing')
    )
    -- Of a callback enqueued more than once only the newest counts.
    AND NOT EXISTS (
        SELECT 1 FROM steps newer
        WHERE newer.callback_of = s.callback_of AND newer.job_id > s.job_id
    )
ORDER BY s.job_id
