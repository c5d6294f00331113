-- Open a breaker: the longer, the oftener it opened since it was last quiet. Alerts, but not when a
-- probe found it broken still.
-- depends: 0007_gates alert_v1 pull_line_v1

CREATE FUNCTION darkroom_open_breaker_v1(b breakers, said text, rules jsonb, at timestamptz)
    RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    name text := b.provider || ' ' || b.operation;
    stays double precision := least(
        (rules ->> 'cap_seconds')::double precision,
        (rules ->> 'open_seconds')::double precision
            * power((rules ->> 'growth')::double precision, least(b.opened_times, 30))
    );
    until timestamptz := at + make_interval(secs => stays);
BEGIN
    UPDATE breakers
    SET state = 'open', opened_at = coalesce(b.opened_at, at), open_until = until,
        opened_times = b.opened_times + 1, failures = b.failures, last_error = said,
        last_failure_at = at, window_at = b.window_at, calls = b.calls, failed = b.failed,
        calls_before = b.calls_before, failed_before = b.failed_before,
        probe_call_id = NULL, probe_attempt_id = NULL, probe_until = NULL, changed_at = at
    WHERE provider = b.provider AND operation = b.operation;
    PERFORM darkroom_pull_line_v1('breaker', name, until, 1, at);
    IF b.state = 'closed' THEN
        PERFORM darkroom_alert_v1(
            format('Breaker %s opened', name),
            format(
                E'%s failed %s times in a row (%s of its last %s calls). No call is let through for %s s; '
                'then one tries.\nLast error: %s',
                name, b.failures, b.failed + b.failed_before, b.calls + b.calls_before,
                round(stays::numeric), said
            )
        );
    END IF;
END;
$$;
