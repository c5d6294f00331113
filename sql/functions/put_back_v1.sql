-- Say why a step that was put back waits; if its run is to stop it is dropped instead.
-- depends: 0006_fairness close_runs_v1

CREATE FUNCTION darkroom_put_back_v1(job bigint, kind text, gate text, reason text)
    RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    of_run uuid;
BEGIN
    UPDATE steps SET waiting_kind = kind, waiting_on = gate, waiting_for = reason
    WHERE job_id = job
    RETURNING run_id INTO of_run;
    PERFORM FROM runs WHERE id = of_run FOR NO KEY UPDATE;
    PERFORM darkroom_close_runs_v1(ARRAY[of_run]);
END;
$$;
