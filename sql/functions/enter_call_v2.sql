-- Ask all gates of a call to the outside, and take what they give: all of it or nothing. No row: the
-- call may go. Else why not: which gate, when to ask again; kind 'lost' when the attempt is closed.
-- What is taken is tied to the attempt: it is free again when the call is left or the attempt is
-- closed, whichever comes first. Asked again for a call that may go already, it answers the same.
-- Unlike v1 it leaves the job its place in the lines of other gates: a step that stores something first
-- lost its place before a pace by that, again each time, so that several of them held up one another.
-- depends: 0007_gates ask_breaker_v1 ask_budget_v1 ask_capacity_v1 ask_pace_v1 attempt_is_open_v1 lock_gate_v1 take_breaker_v1

CREATE FUNCTION darkroom_enter_call_v2(
    call uuid, lease bigint, of_provider text, of_operation text, of_pace text, estimate numeric,
    rules jsonb, at timestamptz DEFAULT NULL
)
    RETURNS SETOF darkroom_refusal
    LANGUAGE plpgsql
AS $$
DECLARE
    job bigint;
    priority integer;
    step steps;
    owner integer;
    refusal darkroom_refusal;
BEGIN
    -- One by one, as a join of such large tables may be planned badly.
    SELECT a.job_id INTO job FROM attempts a WHERE a.id = lease;
    SELECT j.priority INTO priority FROM procrastinate_jobs j WHERE j.id = job;
    SELECT * INTO step FROM steps s WHERE s.job_id = job;
    owner := coalesce(step.owner_id, 0);
    PERFORM darkroom_lock_gate_v1('provider', of_provider);
    IF of_pace IS NOT NULL THEN
        PERFORM darkroom_lock_gate_v1('pace', of_pace);
    END IF;
    IF rules ->> 'budget_per_owner' IS NOT NULL THEN
        PERFORM darkroom_lock_gate_v1('owner', owner::text);
    END IF;
    at := coalesce(at, clock_timestamp());
    IF NOT darkroom_attempt_is_open_v1(lease) THEN
        RETURN NEXT ('lost', NULL, NULL, NULL, NULL)::darkroom_refusal;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM permits WHERE call_id = call) THEN
        RETURN;
    END IF;
    INSERT INTO capacities AS old (provider, max_calls, max_calls_per_owner) VALUES
        (of_provider, (rules ->> 'max_calls')::integer, (rules ->> 'max_calls_per_owner')::integer)
    ON CONFLICT (provider) DO UPDATE
    SET max_calls = excluded.max_calls, max_calls_per_owner = excluded.max_calls_per_owner
    WHERE (old.max_calls, old.max_calls_per_owner)
        IS DISTINCT FROM (excluded.max_calls, excluded.max_calls_per_owner);

    refusal := darkroom_ask_breaker_v1(
        of_provider, of_operation, job, owner, priority, at
    );
    IF refusal.kind IS NULL THEN
        refusal := darkroom_ask_budget_v1(of_provider, owner, estimate, rules, job, at);
    END IF;
    IF refusal.kind IS NULL AND step.owner_id IS NOT NULL THEN
        refusal := darkroom_ask_capacity_v1(
            of_provider, owner, (rules ->> 'max_calls_per_owner')::integer, job, owner,
            priority, at
        );
    END IF;
    IF refusal.kind IS NULL THEN
        refusal := darkroom_ask_capacity_v1(
            of_provider, NULL, (rules ->> 'max_calls')::integer, job, owner,
            priority, at
        );
    END IF;
    IF refusal.kind IS NULL AND of_pace IS NOT NULL THEN
        refusal := darkroom_ask_pace_v1(
            of_pace, (rules ->> 'spacing')::double precision, job, owner, priority, at
        );
    END IF;
    IF refusal.kind IS NOT NULL THEN
        -- Its places in other lines are kept, but hold nobody up meanwhile.
        UPDATE gate_waits w SET not_before = refusal.until
        WHERE w.job_id = job AND (w.kind, w.gate) <> (refusal.kind, refusal.gate);
        RETURN NEXT refusal;
        RETURN;
    END IF;

    PERFORM darkroom_take_breaker_v1(
        of_provider, of_operation, call, lease, (rules ->> 'probe_seconds')::double precision, at
    );
    INSERT INTO permits
        (call_id, provider, operation, pace, attempt_id, job_id, run_id, owner_id, reserved, taken_at)
    VALUES (
        call, of_provider, of_operation, of_pace, lease, job, step.run_id, step.owner_id,
        estimate, at
    );
    UPDATE paces SET holder_call_id = call, holder_attempt_id = lease, held_since = at
    WHERE name = of_pace;
    DELETE FROM gate_waits w
    WHERE w.job_id = job AND (w.kind, w.gate) IN (
        ('breaker', of_provider || ' ' || of_operation),
        ('concurrency', of_provider),
        ('concurrency', of_provider || ' owner ' || owner),
        ('pace', of_pace)
    );
END;
$$;
