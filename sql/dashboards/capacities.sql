-- How many calls has each provider in flight, of how many that it may have?
--
-- provider
-- in_flight, max_calls
-- busiest_owner, owner_in_flight, max_calls_per_owner
-- waiting              steps put back because all places were taken
-- typical_seconds      how long a call takes, as an average that follows
-- reserved             money kept for the calls in flight, in USD
--
-- Cost: reads the calls in flight and the lines before the gates.
WITH in_flight AS (
    SELECT p.provider, p.owner_id, count(*) AS calls, sum(p.reserved) AS reserved
    FROM permits p
    JOIN attempts a ON a.id = p.attempt_id AND a.finished_at IS NULL
    GROUP BY p.provider, p.owner_id
),
providers AS (
    SELECT provider FROM capacities
    UNION
    SELECT provider FROM in_flight
)
SELECT
    p.provider,
    coalesce((SELECT sum(f.calls) FROM in_flight f WHERE f.provider = p.provider), 0)::bigint
        AS in_flight,
    c.max_calls,
    u.name AS busiest_owner,
    coalesce(busiest.calls, 0) AS owner_in_flight,
    c.max_calls_per_owner,
    (
        SELECT count(*) FROM gate_waits w WHERE w.kind = 'concurrency' AND w.provider = p.provider
    ) AS waiting,
    round(c.typical_seconds::numeric, 3) AS typical_seconds,
    coalesce((SELECT sum(f.reserved) FROM in_flight f WHERE f.provider = p.provider), 0) AS reserved
FROM providers p
LEFT JOIN capacities c ON c.provider = p.provider
LEFT JOIN LATERAL (
    SELECT f.owner_id, f.calls
    FROM in_flight f
    WHERE f.provider = p.provider
    ORDER BY f.calls DESC, f.owner_id
    LIMIT 1
) busiest ON true
LEFT JOIN users u ON u.id = busiest.owner_id
ORDER BY in_flight DESC, p.provider
LIMIT 500
