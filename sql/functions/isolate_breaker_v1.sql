-- Hold a breaker open until it is reset, by hand; alerts.
-- depends: 0007_gates alert_v1 lock_gate_v1

CREATE FUNCTION darkroom_isolate_breaker_v1(
    of_provider text, of_operation text, who text, why text, at timestamptz DEFAULT NULL
)
    RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM darkroom_lock_gate_v1('provider', of_provider);
    at := coalesce(at, clock_timestamp());
    INSERT INTO breakers (provider, operation) VALUES (of_provider, of_operation)
    ON CONFLICT DO NOTHING;
    UPDATE breakers
    SET state = 'isolated', opened_at = coalesce(opened_at, at), open_until = NULL,
        probe_call_id = NULL, probe_attempt_id = NULL, probe_until = NULL,
        isolated_by = who, isolated_reason = why, changed_at = at
    WHERE provider = of_provider AND operation = of_operation;
    PERFORM darkroom_alert_v1(
        format('Breaker %s %s isolated', of_provider, of_operation),
        format('%s isolated it. No call is let through until it is reset.%s', who,
            CASE WHEN why <> '' THEN E'\nReason: ' || why ELSE '' END)
    );
END;
$$;
