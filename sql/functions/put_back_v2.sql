-- Say why a step that was put back waits; if it or its run is to stop it is dropped instead.
-- depends: 0006_fairness close_runs_v2 end_steps_v2

CREATE FUNCTION darkroom_put_back_v2(job bigint, kind text, gate text, reason text)
    RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    of_run uuid;
    is_expected boolean;
BEGIN
    IF EXISTS (SELECT FROM procrastinate_jobs WHERE id = job AND status = 'aborted') THEN
        is_expected := NOT EXISTS (
            SELECT FROM steps s JOIN runs r ON r.id = s.run_id
            WHERE s.job_id = job
                AND r.cancel_requested_at IS NULL AND r.status IN ('pending', 'running')
        );
        PERFORM darkroom_end_steps_v2(
            ARRAY[job], ARRAY[NULL::jsonb],
            ARRAY[CASE WHEN NOT is_expected THEN jsonb_build_object(
                'class', 'Cancelled', 'field', NULL, 'message', 'An operator cancelled this step.'
            ) END],
            ARRAY[0], ARRAY[NULL::jsonb], ARRAY[is_expected]
        );
        RETURN;
    END IF;
    UPDATE steps SET waiting_kind = kind, waiting_on = gate, waiting_for = reason
    WHERE job_id = job
    RETURNING run_id INTO of_run;
    PERFORM FROM runs WHERE id = of_run FOR NO KEY UPDATE;
    PERFORM darkroom_close_runs_v2(ARRAY[of_run]);
END;
$$;
