-- Which circuit breakers are open, since when, until when, and why?
--
-- provider, operation
-- state                closed, open, half_open (one call is being tried) or isolated (by a person)
-- failures             in a row
-- window_calls, window_failed
--                      of the present window and the one before it
-- opened_at, open_until, opened_times
-- probing              true while one call tries a breaker that may close again
-- waiting              steps put back because of it
-- last_error, last_failure_at, last_success_at
-- isolated_by, isolated_reason
--
-- A breaker that never heard of a failure may have no row. Cost: one row a breaker.
SELECT
    b.provider,
    b.operation,
    b.state,
    b.failures,
    b.calls + b.calls_before AS window_calls,
    b.failed + b.failed_before AS window_failed,
    b.opened_at,
    b.open_until,
    b.opened_times,
    b.state = 'half_open' AND coalesce(b.probe_until > now(), false) AND (
        b.probe_attempt_id IS NULL OR EXISTS (
            SELECT FROM attempts a WHERE a.id = b.probe_attempt_id AND a.finished_at IS NULL
        )
    ) AS probing,
    (
        SELECT count(*)
        FROM gate_waits w
        WHERE w.kind = 'breaker' AND w.gate = b.provider || ' ' || b.operation
    ) AS waiting,
    left(b.last_error, 300) AS last_error,
    b.last_failure_at,
    b.last_success_at,
    b.isolated_by,
    b.isolated_reason
FROM breakers b
ORDER BY b.state = 'closed', b.provider, b.operation
LIMIT 500
