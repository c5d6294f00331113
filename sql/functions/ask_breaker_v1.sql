-- Why a breaker lets no call through now; null when it does. Whoever waits is told to come one after
-- the other, the first when the breaker can be tried.
-- depends: 0007_gates breaker_verdict_v1 join_line_v1 trim_line_v1 wait_in_line_v1

CREATE FUNCTION darkroom_ask_breaker_v1(
    of_provider text, of_operation text, job bigint, of_owner integer, of_priority integer,
    at timestamptz
)
    RETURNS darkroom_refusal
    LANGUAGE plpgsql
AS $$
DECLARE
    name text := of_provider || ' ' || of_operation;
    said record;
    slot timestamptz;
BEGIN
    SELECT * INTO said FROM darkroom_breaker_verdict_v1(of_provider, of_operation, at);
    IF said.verdict IN ('closed', 'probe') THEN
        RETURN NULL;
    END IF;
    PERFORM darkroom_trim_line_v1('breaker', name);
    slot := said.opens_at + interval '0.5 s' * darkroom_join_line_v1(
        'breaker', name, of_provider, job, of_owner, of_priority, at
    );
    PERFORM darkroom_wait_in_line_v1('breaker', name, job, slot);
    RETURN (
        'breaker', name, slot, said.verdict,
        jsonb_build_object('error', said.error, 'reason', said.reason)
    )::darkroom_refusal;
END;
$$;
