-- A webhook's deliveries, newest first, from before a (created_at, id) on, with how each stands.
SELECT
    d.id,
    d.event,
    d.run_id,
    d.run ->> 'title' AS title,
    d.created_at,
    d.tries,
    d.tried_at,
    d.seconds,
    d.response_status,
    d.response_body,
    d.error,
    CASE
        WHEN d.outcome IS NOT NULL THEN d.outcome
        WHEN j.status = 'doing' THEN 'running'
        WHEN j.status = 'todo' AND j.scheduled_at IS NULL THEN 'waiting'
        WHEN j.status = 'todo' THEN 'scheduled'
        ELSE 'failed'
    END AS state,
    CASE WHEN j.status = 'todo' THEN j.scheduled_at END AS next_try_at
FROM webhook_deliveries d
LEFT JOIN procrastinate_jobs j ON j.id = d.job_id
WHERE d.webhook_id = :webhook_id
    AND (
        CAST(:before AS timestamptz) IS NULL
        OR (d.created_at, d.id) < (CAST(:before AS timestamptz), CAST(:before_id AS uuid))
    )
ORDER BY d.created_at DESC, d.id DESC
LIMIT :rows
