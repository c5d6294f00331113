-- Put on record what a provider took for a call, once for each part (1, 2, 3). Its reservation ends.
-- Works for a lost attempt too: the money is spent; what was presumed then is taken back.
-- depends: 0007_gates book_v1

CREATE FUNCTION darkroom_charge_call_v1(
    call uuid, of_part integer, lease bigint, of_provider text, of_operation text, much numeric,
    at timestamptz DEFAULT NULL
)
    RETURNS boolean
    LANGUAGE plpgsql
AS $$
DECLARE
    job bigint;
    step steps;
    what permits;
    presumed charges;
BEGIN
    UPDATE permits SET reserved = 0 WHERE call_id = call;
    at := coalesce(at, clock_timestamp());
    SELECT a.job_id INTO job FROM attempts a WHERE a.id = lease;
    SELECT * INTO step FROM steps s WHERE s.job_id = job;
    what := (
        call, of_provider, of_operation, NULL, lease, job, step.run_id, step.owner_id, 0, at
    )::permits;
    SELECT * INTO presumed FROM charges WHERE call_id = call AND part = 0;
    IF FOUND THEN
        PERFORM darkroom_book_v1(call, -1, what, -presumed.amount, at);
    END IF;
    RETURN darkroom_book_v1(call, of_part, what, much, at);
END;
$$;
