-- Ask a breaker for one call. As 'probe' the call holds the lease on trying it, for the seconds
-- given or until its attempt (if it has one) is closed, and must report how it went.
-- depends: 0007_gates breaker_verdict_v1 lock_gate_v1

CREATE FUNCTION darkroom_take_breaker_v1(
    of_provider text, of_operation text, call uuid, lease bigint,
    probe_seconds double precision, at timestamptz DEFAULT NULL
)
    RETURNS TABLE (verdict text, opens_at timestamptz, error text, reason text)
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM darkroom_lock_gate_v1('provider', of_provider);
    at := coalesce(at, clock_timestamp());
    SELECT v.verdict, v.opens_at, v.error, v.reason INTO verdict, opens_at, error, reason
    FROM darkroom_breaker_verdict_v1(of_provider, of_operation, at) v;
    IF verdict = 'probe' THEN
        UPDATE breakers b
        SET state = 'half_open', probe_call_id = call, probe_attempt_id = lease,
            probe_until = at + make_interval(secs => probe_seconds), changed_at = at
        WHERE b.provider = of_provider AND b.operation = of_operation;
    END IF;
    RETURN NEXT;
END;
$$;
