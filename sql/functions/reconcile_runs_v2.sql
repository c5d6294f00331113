-- Fail the runs whose open steps are fewer than counted: somebody cancelled or deleted a job past the
-- engine (procrastinate's shell, SQL). Answers how many. The count is taken under the run's lock, which
-- whoever ends or adds a step takes too.
-- depends: 0006_fairness close_runs_v2

CREATE FUNCTION darkroom_reconcile_runs_v2()
    RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    suspect uuid;
    really integer;
    mended integer := 0;
BEGIN
    FOR suspect IN
        SELECT r.id
        FROM runs r
        LEFT JOIN steps s ON s.run_id = r.id AND s.finished_at IS NULL
        LEFT JOIN procrastinate_jobs j ON j.id = s.job_id AND j.status IN ('todo', 'doing')
        WHERE r.open_steps > 0
        GROUP BY r.id
        HAVING count(j.id) < r.open_steps
        ORDER BY r.id
    LOOP
        PERFORM FROM runs WHERE id = suspect FOR NO KEY UPDATE;
        SELECT count(*) INTO really
        FROM steps s JOIN procrastinate_jobs j ON j.id = s.job_id
        WHERE s.run_id = suspect AND s.finished_at IS NULL AND j.status IN ('todo', 'doing');
        UPDATE runs
        SET open_steps = really,
            status = CASE
                WHEN status IN ('pending', 'running') AND cancel_requested_at IS NULL
                THEN 'failed' ELSE status END,
            error = CASE
                WHEN status IN ('pending', 'running') AND cancel_requested_at IS NULL
                THEN jsonb_build_object(
                    'class', 'Cancelled', 'field', NULL,
                    'message', 'A step of this run was cancelled or deleted outside Darkroom.'
                ) ELSE error END,
            finished_at = CASE
                WHEN status IN ('pending', 'running') AND cancel_requested_at IS NULL
                THEN now() ELSE finished_at END
        WHERE id = suspect AND open_steps > really;
        IF FOUND THEN
            mended := mended + 1;
            PERFORM darkroom_close_runs_v2(ARRAY[suspect]);
        END IF;
    END LOOP;
    RETURN mended;
END;
$$;
