-- The catalog's budget of a day (UTC; null: none), what it has spent today, and what its calls in
-- flight have reserved: for a lease only those that were begun before the lease's own. So of two that
-- ask at once the later sees the call of the earlier, or its charge. And when the day ends.
WITH own AS (
    SELECT taken_at, call_id FROM permits WHERE attempt_id = :lease ORDER BY taken_at DESC LIMIT 1
)
SELECT
    budget_per_day,
    (
        SELECT coalesce(sum(c.amount), 0)
        FROM charges c
        JOIN runs r ON r.id = c.run_id
        WHERE c.at >= date_trunc('day', now(), 'UTC') AND r.pipeline = 'catalog'
    ) AS spent,
    (
        SELECT coalesce(sum(p.reserved), 0)
        FROM permits p
        JOIN runs r ON r.id = p.run_id
        LEFT JOIN own ON true
        WHERE r.pipeline = 'catalog'
            AND (own.call_id IS NULL OR (p.taken_at, p.call_id) < (own.taken_at, own.call_id))
    ) AS reserved,
    date_trunc('day', now(), 'UTC') + interval '1 day' AS day_ends,
    now() AS at
FROM catalog_settings
