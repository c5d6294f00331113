-- How many clients have calls that still count against a limit, and how many calls these are.
SELECT
    count(DISTINCT client) FILTER (WHERE used > 0) AS clients,
    count(DISTINCT client) FILTER (WHERE used > 0 AND client LIKE 'address %') AS addresses,
    coalesce(sum(used), 0)::bigint AS calls,
    coalesce(sum(refused), 0)::bigint AS refused
FROM (
    SELECT
        l.client,
        l.refused,
        (
            SELECT count(*) FROM unnest(l.hits) hit
            WHERE hit > now() - make_interval(secs => l.period_seconds)
        ) AS used
    FROM limits_used l
    WHERE l.expires_at > now()
) counted
