-- Write a step's progress and add its share to the run's, fenced by the lease.
-- Answers 'held', 'lost' (another worker has the step) or 'cancelled' (the run is over).
-- depends: 0004_engine

CREATE FUNCTION darkroom_report_progress_v1(
    lease bigint, fraction double precision, new_note text, new_values jsonb
)
    RETURNS text
    LANGUAGE plpgsql
AS $$
DECLARE
    leased_job bigint;
    step steps;
    run runs;
BEGIN
    SELECT job_id INTO leased_job FROM attempts WHERE id = lease;
    SELECT * INTO step FROM steps WHERE job_id = leased_job FOR UPDATE;
    -- Asked under the lock of the step's row, which whoever ends the step must take.
    PERFORM FROM attempts WHERE id = lease AND finished_at IS NULL;
    IF NOT FOUND THEN
        RETURN 'lost';
    END IF;
    UPDATE steps SET progress = fraction, note = new_note, note_values = new_values
    WHERE job_id = step.job_id;
    UPDATE runs
    -- A callback that runs again adds its share again.
    SET progress = least(1, greatest(0, progress + step.share * (fraction - step.progress))),
        note = new_note, note_values = new_values
    WHERE id = step.run_id
    RETURNING * INTO run;
    IF run.cancel_requested_at IS NOT NULL OR run.status NOT IN ('pending', 'running') THEN
        RETURN 'cancelled';
    END IF;
    RETURN 'held';
END;
$$;
