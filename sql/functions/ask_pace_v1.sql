-- Why a call may not start yet at this pace; null when it may. Keeps its job's place in line and
-- tells it when its turn is expected to come.
-- depends: 0007_gates front_v1 join_line_v1 settle_pace_v1 trim_line_v1 wait_in_line_v1

CREATE FUNCTION darkroom_ask_pace_v1(
    of_pace text, spacing double precision, job bigint, of_owner integer, of_priority integer,
    at timestamptz
)
    RETURNS darkroom_refusal
    LANGUAGE plpgsql
AS $$
DECLARE
    p paces := darkroom_settle_pace_v1(of_pace, spacing, at);
    free boolean := p.holder_call_id IS NULL AND at >= p.free_at;
    typical interval;
    ahead integer;
    opens timestamptz;
    each interval;
    slot timestamptz;
BEGIN
    PERFORM darkroom_trim_line_v1('pace', of_pace);
    IF free AND NOT EXISTS (
        SELECT FROM gate_waits w WHERE w.kind = 'pace' AND w.gate = of_pace
    ) THEN
        RETURN NULL;
    END IF;
    ahead := darkroom_join_line_v1('pace', of_pace, '', job, of_owner, of_priority, at);
    IF free AND job = ANY(darkroom_front_v1('pace', of_pace, at, 1)) THEN
        RETURN NULL;
    END IF;
    -- A call that takes longer than usual may do so for as long again. Its end calls the next anyway.
    typical := greatest(make_interval(secs => p.typical_seconds), 2 * (at - p.held_since));
    opens := CASE
        WHEN p.holder_call_id IS NULL THEN greatest(at, p.free_at)
        ELSE p.held_since + typical + make_interval(secs => spacing)
    END;
    each := greatest(interval '0.25 s', typical + make_interval(secs => spacing));
    slot := greatest(opens, at + interval '0.1 s') + ahead * each;
    IF ahead >= 1000 THEN
        -- So many are not counted one by one.
        slot := slot + random() * ahead * each;
    END IF;
    PERFORM darkroom_wait_in_line_v1('pace', of_pace, job, slot);
    RETURN ('pace', of_pace, slot, 'pace', jsonb_build_object('ahead', ahead))::darkroom_refusal;
END;
$$;
