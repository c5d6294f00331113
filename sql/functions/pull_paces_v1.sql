-- What no end of a call sets going: clear away the calls of closed attempts, and call the next in
-- line where the one before was cancelled, died, or was on its way back when it should have been
-- called. For a loop; one caller at a time does the work. Answers how many jobs were called.
-- depends: 0007_gates pull_gate_v1 sweep_permits_v1

CREATE FUNCTION darkroom_pull_paces_v1(at timestamptz DEFAULT NULL)
    RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    line record;
    pulled integer := 0;
BEGIN
    at := coalesce(at, clock_timestamp());
    IF NOT EXISTS (SELECT FROM gate_waits) AND NOT EXISTS (SELECT FROM permits)
        OR NOT pg_try_advisory_xact_lock(hashtext('darkroom pull'), 0) THEN
        RETURN 0;
    END IF;
    PERFORM darkroom_sweep_permits_v1(at);
    SELECT w.kind, w.gate, w.provider, w.owner_id INTO line FROM gate_waits w
    ORDER BY w.kind, w.gate LIMIT 1;
    WHILE FOUND LOOP
        IF pg_try_advisory_xact_lock(
            hashtext('darkroom ' || CASE line.kind WHEN 'pace' THEN 'pace' ELSE 'provider' END),
            hashtext(CASE line.kind WHEN 'pace' THEN line.gate ELSE line.provider END)
        ) THEN
            pulled := pulled + darkroom_pull_gate_v1(
                line.kind, line.gate, line.provider, line.owner_id, at
            );
        END IF;
        SELECT w.kind, w.gate, w.provider, w.owner_id INTO line FROM gate_waits w
        WHERE (w.kind, w.gate) > (line.kind, line.gate)
        ORDER BY w.kind, w.gate LIMIT 1;
    END LOOP;
    RETURN pulled;
END;
$$;
