-- Tell a breaker how a call ended: 'succeeded', 'failed', or 'uncounted' when it says nothing about
-- the provider. Of a breaker that is not closed only the probe's report counts. Answers its state.
-- depends: 0007_gates close_breaker_v1 count_call_v1 lock_gate_v1 open_breaker_v1

CREATE FUNCTION darkroom_report_breaker_v1(
    of_provider text, of_operation text, call uuid, outcome text, said text, rules jsonb,
    at timestamptz DEFAULT NULL
)
    RETURNS text
    LANGUAGE plpgsql
AS $$
DECLARE
    b breakers;
    counted record;
    name text := of_provider || ' ' || of_operation;
BEGIN
    PERFORM darkroom_lock_gate_v1('provider', of_provider);
    at := coalesce(at, clock_timestamp());
    INSERT INTO breakers (provider, operation, changed_at)
    VALUES (of_provider, of_operation, at) ON CONFLICT DO NOTHING;
    SELECT * INTO b FROM breakers
    WHERE provider = of_provider AND operation = of_operation;

    IF b.state = 'half_open' AND b.probe_call_id = call THEN
        IF outcome = 'succeeded' THEN
            PERFORM darkroom_close_breaker_v1(b, format('%s works again.', name), at);
        ELSIF outcome = 'failed' THEN
            PERFORM darkroom_open_breaker_v1(b, said, rules, at);
        ELSE
            -- The next in line tries.
            UPDATE breakers
            SET state = 'open', open_until = at, probe_call_id = NULL, probe_attempt_id = NULL,
                probe_until = NULL, changed_at = at
            WHERE provider = of_provider AND operation = of_operation;
            PERFORM darkroom_pull_line_v1('breaker', name, at, 1, at);
        END IF;
    ELSIF b.state = 'closed' AND outcome IN ('succeeded', 'failed') THEN
        SELECT * INTO counted FROM darkroom_count_call_v1(b, outcome = 'failed', rules, at);
        b := counted.b;
        IF counted.opens THEN
            PERFORM darkroom_open_breaker_v1(b, said, rules, at);
        ELSE
            UPDATE breakers
            SET failures = b.failures, opened_times = b.opened_times, window_at = b.window_at,
                calls = b.calls, failed = b.failed, calls_before = b.calls_before,
                failed_before = b.failed_before,
                last_error = CASE WHEN outcome = 'failed' THEN said ELSE b.last_error END,
                last_failure_at = CASE WHEN outcome = 'failed' THEN at ELSE b.last_failure_at END
            WHERE provider = of_provider AND operation = of_operation;
        END IF;
    END IF;
    IF outcome = 'succeeded' THEN
        UPDATE breakers SET last_success_at = at
        WHERE provider = of_provider AND operation = of_operation;
    END IF;
    RETURN (SELECT state FROM breakers WHERE provider = of_provider AND operation = of_operation);
END;
$$;
