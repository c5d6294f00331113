-- A call to the outside is over: give back what it held, tell the breaker ('succeeded', 'failed',
-- 'uncounted'), start the pace's spacing, and call the next in line. False when the call holds
-- nothing (it was left before, or its attempt is closed and it was cleared away).
-- depends: 0007_gates lock_gate_v1 pull_gate_v1 report_breaker_v1 typical_v1

CREATE FUNCTION darkroom_leave_call_v1(
    call uuid, outcome text, said text, rules jsonb, at timestamptz DEFAULT NULL
)
    RETURNS boolean
    LANGUAGE plpgsql
AS $$
DECLARE
    p permits;
BEGIN
    SELECT * INTO p FROM permits WHERE call_id = call;
    PERFORM darkroom_lock_gate_v1('provider', p.provider);
    PERFORM darkroom_lock_gate_v1('pace', p.pace) WHERE p.pace IS NOT NULL;
    at := coalesce(at, clock_timestamp());
    DELETE FROM permits WHERE call_id = call;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE capacities c SET typical_seconds = darkroom_typical_v1(typical_seconds, at - p.taken_at)
    WHERE c.provider = p.provider;
    PERFORM darkroom_report_breaker_v1(p.provider, p.operation, call, outcome, said, rules, at);
    UPDATE paces
    SET holder_call_id = NULL, holder_attempt_id = NULL, held_since = NULL,
        free_at = at + make_interval(secs => spacing_seconds),
        typical_seconds = darkroom_typical_v1(typical_seconds, at - p.taken_at)
    WHERE name = p.pace AND holder_call_id = call;
    IF FOUND THEN
        PERFORM darkroom_pull_gate_v1('pace', p.pace, '', NULL, at);
    END IF;
    PERFORM darkroom_pull_gate_v1('concurrency', gate, p.provider, p.owner_id, at)
    FROM unnest(ARRAY[p.provider, p.provider || ' owner ' || p.owner_id]) AS gate
    WHERE EXISTS (SELECT FROM gate_waits w WHERE w.kind = 'concurrency' AND w.gate = gate);
    RETURN true;
END;
$$;
