-- What a delivery is to say, where, and whether its endpoint still listens.
SELECT
    d.id,
    d.event,
    d.run,
    d.created_at,
    d.outcome,
    w.id AS webhook_id,
    w.url,
    w.secret,
    w.active AND u.is_active AND (w.owner_id = r.owner_id OR w.all_runs AND u.role = 'admin')
        AS listens,
    u.role = 'admin' AS by_admin,
    clock_timestamp() AS now
FROM webhook_deliveries d
JOIN webhooks w ON w.id = d.webhook_id
JOIN users u ON u.id = w.owner_id
JOIN runs r ON r.id = d.run_id
WHERE d.id = :delivery_id
