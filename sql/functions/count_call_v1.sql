-- Count the outcome of a call in a closed breaker; answers whether it is to open. The failure rate
-- is that of a sliding window: this one and what still counts of the one before.
-- depends: 0007_gates

CREATE FUNCTION darkroom_count_call_v1(
    INOUT b breakers, bad boolean, rules jsonb, at timestamptz, OUT opens boolean
)
    LANGUAGE plpgsql
AS $$
DECLARE
    span interval := make_interval(secs => (rules ->> 'window_seconds')::double precision);
    weight double precision;
    calls double precision;
BEGIN
    -- Quiet since its last failure, or since it closed after that.
    IF at >= greatest(b.last_failure_at, b.changed_at)
        + make_interval(secs => (rules ->> 'dormant_seconds')::double precision) THEN
        b.failures := 0;
        b.opened_times := 0;
    END IF;
    IF b.window_at IS NULL OR at >= b.window_at + 2 * span THEN
        b.window_at := at;
        b.calls := 0;
        b.failed := 0;
        b.calls_before := 0;
        b.failed_before := 0;
    ELSIF at >= b.window_at + span THEN
        b.window_at := b.window_at + span;
        b.calls_before := b.calls;
        b.failed_before := b.failed;
        b.calls := 0;
        b.failed := 0;
    END IF;
    b.calls := b.calls + 1;
    b.failed := b.failed + bad::integer;
    b.failures := CASE WHEN bad THEN b.failures + 1 ELSE 0 END;
    weight := 1 - extract(epoch FROM greatest(at, b.window_at) - b.window_at)
        / extract(epoch FROM span);
    calls := b.calls + weight * b.calls_before;
    opens := bad AND (
        b.failures >= (rules ->> 'failures')::integer
        OR calls >= (rules ->> 'window_calls')::integer
            AND (b.failed + weight * b.failed_before) / calls
                >= (rules ->> 'failure_rate')::double precision
    );
END;
$$;
