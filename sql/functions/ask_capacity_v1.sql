-- Why one more call would be one too many: for the provider, or (with an owner) for that owner's
-- calls to it; null when there is room, and nobody before it in line who is to take it.
-- depends: 0007_gates calls_in_flight_v1 front_v1 join_line_v1 trim_line_v1 wait_in_line_v1

CREATE FUNCTION darkroom_ask_capacity_v1(
    of_provider text, only_owner integer, max_calls integer, job bigint, of_owner integer,
    of_priority integer, at timestamptz
)
    RETURNS darkroom_refusal
    LANGUAGE plpgsql
AS $$
DECLARE
    name text := concat_ws(' owner ', of_provider, only_owner);
    free integer;
    ahead integer;
    slot timestamptz;
BEGIN
    IF max_calls IS NULL THEN
        RETURN NULL;
    END IF;
    free := max_calls - darkroom_calls_in_flight_v1(of_provider, only_owner);
    PERFORM darkroom_trim_line_v1('concurrency', name);
    IF free > 0 AND NOT EXISTS (
        SELECT FROM gate_waits w WHERE w.kind = 'concurrency' AND w.gate = name
    ) THEN
        RETURN NULL;
    END IF;
    ahead := darkroom_join_line_v1(
        'concurrency', name, of_provider, job, of_owner, of_priority, at
    );
    IF job = ANY(darkroom_front_v1('concurrency', name, at, free)) THEN
        RETURN NULL;
    END IF;
    -- When a place may be free for it; it is called sooner if one is.
    slot := at + (1 + ahead / greatest(max_calls, 1)) * make_interval(secs => greatest(10, (
        SELECT c.typical_seconds FROM capacities c WHERE c.provider = of_provider
    )));
    PERFORM darkroom_wait_in_line_v1('concurrency', name, job, slot);
    RETURN (
        'concurrency', name, slot, 'full', jsonb_build_object('calls', max_calls, 'ahead', ahead)
    )::darkroom_refusal;
END;
$$;
