-- Count one call of a client to an endpoint, unless it had its quota within the period before now (a
-- sliding window, to the call). Answers whether it may go, how many are left, when the oldest one
-- counted no longer counts, and when to try again if it may not.
-- depends: 0007_gates

CREATE FUNCTION darkroom_hit_limit_v1(
    of_client text, of_endpoint text, of_quota integer, period double precision,
    at timestamptz DEFAULT NULL
)
    RETURNS TABLE (
        allowed boolean, remaining integer, reset_seconds double precision,
        retry_seconds double precision, reset_at timestamptz
    )
    LANGUAGE plpgsql
AS $$
DECLARE
    span interval := make_interval(secs => period);
    recent timestamptz[];
    had integer;
BEGIN
    INSERT INTO limits_used AS l (client, endpoint, quota, period_seconds, expires_at)
    VALUES (of_client, of_endpoint, of_quota, period, clock_timestamp() + span)
    ON CONFLICT (client, endpoint) DO UPDATE
    SET quota = excluded.quota, period_seconds = excluded.period_seconds
    RETURNING l.hits INTO recent;
    -- Only now, as the row was waited for.
    at := coalesce(at, clock_timestamp());
    recent := ARRAY(SELECT hit FROM unnest(recent) hit WHERE hit > at - span ORDER BY hit);
    had := cardinality(recent);
    allowed := had < of_quota;
    IF allowed THEN
        recent := recent || at;
    END IF;
    UPDATE limits_used l
    SET hits = recent, refused = l.refused + (NOT allowed)::integer,
        last_refused_at = CASE WHEN allowed THEN l.last_refused_at ELSE at END,
        expires_at = coalesce(recent[cardinality(recent)], at) + span
    WHERE l.client = of_client AND l.endpoint = of_endpoint;
    remaining := greatest(of_quota - cardinality(recent), 0);
    reset_at := coalesce(recent[1], at) + span;
    reset_seconds := extract(epoch FROM reset_at - at);
    retry_seconds := CASE WHEN allowed THEN 0 ELSE
        extract(epoch FROM coalesce(recent[had - of_quota + 1], at) + span - at) END;
    RETURN NEXT;
END;
$$;
