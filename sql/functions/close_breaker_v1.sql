-- Close a breaker, call those who wait for it, and alert.
-- depends: 0007_gates alert_v1 pull_waiters_v1

CREATE FUNCTION darkroom_close_breaker_v1(b breakers, how text, at timestamptz)
    RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    name text := b.provider || ' ' || b.operation;
BEGIN
    UPDATE breakers
    SET state = 'closed', failures = 0, window_at = NULL, calls = 0, failed = 0, calls_before = 0,
        failed_before = 0, opened_at = NULL, open_until = NULL, probe_call_id = NULL,
        probe_attempt_id = NULL, probe_until = NULL, isolated_by = NULL, isolated_reason = NULL,
        changed_at = at
    WHERE provider = b.provider AND operation = b.operation;
    PERFORM darkroom_pull_waiters_v1(name, at);
    PERFORM darkroom_alert_v1(format('Breaker %s closed', name), how);
END;
$$;
