-- Call those who may go before one gate now. The caller holds the gate. Answers how many.
-- depends: 0007_gates breaker_verdict_v1 calls_in_flight_v1 pull_line_v1 pull_waiters_v1 settle_pace_v1

CREATE FUNCTION darkroom_pull_gate_v1(
    of_kind text, of_gate text, of_provider text, of_owner integer, at timestamptz
)
    RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    p paces;
    c capacities;
    said record;
    max_calls integer;
    free integer;
BEGIN
    IF of_kind = 'pace' THEN
        SELECT * INTO p FROM paces WHERE name = of_gate;
        p := darkroom_settle_pace_v1(of_gate, p.spacing_seconds, at);
        RETURN CASE WHEN p.holder_call_id IS NULL THEN
            darkroom_pull_line_v1('pace', of_gate, greatest(p.free_at, at), 1, at)
        ELSE 0 END;
    ELSIF of_kind = 'concurrency' THEN
        SELECT * INTO c FROM capacities WHERE provider = of_provider;
        IF of_gate = of_provider THEN
            max_calls := c.max_calls;
            free := max_calls - darkroom_calls_in_flight_v1(of_provider, NULL);
        ELSE
            max_calls := c.max_calls_per_owner;
            free := max_calls - darkroom_calls_in_flight_v1(of_provider, of_owner);
        END IF;
        -- A limit that was taken away lets everybody go.
        RETURN darkroom_pull_line_v1('concurrency', of_gate, at, coalesce(free, 1000), at);
    END IF;
    SELECT * INTO said FROM darkroom_breaker_verdict_v1(
        of_provider, substr(of_gate, length(of_provider) + 2), at
    );
    IF said.verdict = 'closed' THEN
        RETURN darkroom_pull_waiters_v1(of_gate, at);
    ELSIF said.verdict IN ('open', 'probe') THEN
        RETURN darkroom_pull_line_v1(
            'breaker', of_gate,
            CASE said.verdict WHEN 'open' THEN said.opens_at ELSE at END, 1, at
        );
    END IF;
    RETURN 0;
END;
$$;
