-- Queue a delivery once more; answers its job, or null while a try of it is waiting or running.
SELECT CASE WHEN NOT EXISTS (
    SELECT FROM procrastinate_jobs j WHERE j.id = d.job_id AND j.status IN ('todo', 'doing')
) THEN darkroom_queue_delivery_v1(d.id, w.owner_id, d.event, NULL) END
FROM webhook_deliveries d
JOIN webhooks w ON w.id = d.webhook_id
WHERE d.id = :delivery_id
