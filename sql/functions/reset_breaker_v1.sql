-- Close a breaker by hand and forget its failures; false when there is none. Alerts if it was not
-- closed.
-- depends: 0007_gates close_breaker_v1 lock_gate_v1

CREATE FUNCTION darkroom_reset_breaker_v1(
    of_provider text, of_operation text, who text, at timestamptz DEFAULT NULL
)
    RETURNS boolean
    LANGUAGE plpgsql
AS $$
DECLARE
    b breakers;
BEGIN
    PERFORM darkroom_lock_gate_v1('provider', of_provider);
    at := coalesce(at, clock_timestamp());
    UPDATE breakers
    SET failures = 0, opened_times = 0, window_at = NULL, calls = 0, failed = 0,
        calls_before = 0, failed_before = 0
    WHERE provider = of_provider AND operation = of_operation
    RETURNING * INTO b;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF b.state <> 'closed' THEN
        PERFORM darkroom_close_breaker_v1(b, format('%s reset it.', who), at);
    END IF;
    RETURN true;
END;
$$;
