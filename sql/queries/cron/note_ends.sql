-- Note the ends of cron jobs that did not note them themselves: what failed or was cancelled.
UPDATE crons c
SET running_job_id = NULL,
    last_finished_at = coalesce(e.finished_at, now()),
    last_outcome = e.outcome,
    last_result = NULL,
    last_error = e.message
FROM (
    SELECT
        k.name,
        k.running_job_id,
        CASE WHEN j.status IN ('succeeded', 'failed') THEN j.status::text ELSE 'cancelled' END
            AS outcome,
        s.error ->> 'message' AS message,
        coalesce(s.finished_at, a.finished_at) AS finished_at
    FROM crons k
    LEFT JOIN procrastinate_jobs j ON j.id = k.running_job_id
    LEFT JOIN steps s ON s.job_id = j.id
    LEFT JOIN LATERAL (
        SELECT max(t.finished_at) AS finished_at FROM attempts t WHERE t.job_id = j.id
    ) a ON true
    WHERE k.running_job_id IS NOT NULL AND (j.id IS NULL OR j.status NOT IN ('todo', 'doing'))
) e
-- Asked again of the row as it is once it is ours: another job may have begun.
WHERE c.name = e.name AND c.running_job_id = e.running_job_id
