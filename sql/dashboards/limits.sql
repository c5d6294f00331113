-- Which clients use up, or have used up, the request limits of the web?
--
-- client, endpoint
-- used, quota, period_seconds
--                      calls within the present period, of how many that are allowed in it
-- remaining
-- free_at              when the next call is allowed again; empty when one is now
-- refused, last_refused_at
--
-- Those nearest to their limit first. Cost: one row a client and endpoint; 500 of the newest 5 000.
SELECT
    l.client,
    l.endpoint,
    now.used,
    l.quota,
    l.period_seconds,
    greatest(0, l.quota - now.used) AS remaining,
    CASE WHEN now.used >= l.quota
        THEN now.oldest + make_interval(secs => l.period_seconds)
    END AS free_at,
    l.refused,
    l.last_refused_at
FROM (SELECT * FROM limits_used ORDER BY expires_at DESC LIMIT 5000) l
CROSS JOIN LATERAL (
    SELECT count(*) AS used, min(hit) AS oldest
    FROM unnest(l.hits) hit
    WHERE hit > now() - make_interval(secs => l.period_seconds)
) now
WHERE l.expires_at > now()
ORDER BY now.used::numeric / greatest(l.quota, 1) DESC, l.refused DESC, l.client, l.endpoint
LIMIT 500
