-- What a breaker says to a call, and when to ask again: 'closed' (go), 'probe' (go, and be the one
-- that tries), 'open', 'half_open' (another tries it), 'isolated'. Changes nothing.
-- depends: 0007_gates attempt_is_open_v1

CREATE FUNCTION darkroom_breaker_verdict_v1(of_provider text, of_operation text, at timestamptz)
    RETURNS TABLE (verdict text, opens_at timestamptz, error text, reason text)
    LANGUAGE sql STABLE
AS $$
    SELECT
        CASE
            WHEN b.state IN ('closed', 'isolated') THEN b.state
            WHEN b.state = 'open' AND at < b.open_until THEN 'open'
            WHEN b.state = 'half_open' AND at < b.probe_until AND (
                b.probe_attempt_id IS NULL OR darkroom_attempt_is_open_v1(b.probe_attempt_id)
            ) THEN 'half_open'
            ELSE 'probe'
        END,
        CASE b.state
            WHEN 'open' THEN b.open_until
            WHEN 'half_open' THEN b.probe_until
            -- A reset calls those who wait.
            WHEN 'isolated' THEN at + interval '1 hour'
        END,
        coalesce(b.last_error, ''),
        coalesce(b.isolated_reason, '')
    FROM breakers b
    WHERE b.provider = of_provider AND b.operation = of_operation
    UNION ALL
    SELECT 'closed', NULL, '', ''
    WHERE NOT EXISTS (
        SELECT FROM breakers b WHERE b.provider = of_provider AND b.operation = of_operation
    )
$$;
