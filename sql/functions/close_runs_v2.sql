-- Drop what waits in runs that are to stop, and end those in which nothing is left to do. The caller
-- holds the rows of the runs.
-- depends: 0006_fairness drop_waiting_v2 unmended_error_v1

CREATE FUNCTION darkroom_close_runs_v2(run_ids uuid[])
    RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    stopping uuid;
BEGIN
    FOR stopping IN
        SELECT r.id FROM runs r
        WHERE r.id = ANY(run_ids) AND r.open_steps > 0
            AND (r.cancel_requested_at IS NOT NULL OR r.status NOT IN ('pending', 'running'))
        ORDER BY r.id
    LOOP
        UPDATE runs SET open_steps = open_steps - darkroom_drop_waiting_v2(stopping)
        WHERE id = stopping;
    END LOOP;

    WITH done AS (
        SELECT
            r.id,
            CASE WHEN r.cancel_requested_at IS NULL THEN darkroom_unmended_error_v1(r.id) END AS error
        FROM runs r
        WHERE r.id = ANY(run_ids) AND r.open_steps = 0 AND r.status IN ('pending', 'running')
    )
    UPDATE runs r
    SET status = CASE
            WHEN r.cancel_requested_at IS NOT NULL THEN 'cancelled'
            WHEN d.error IS NOT NULL THEN 'failed'
            ELSE 'completed'
        END,
        progress = CASE
            WHEN r.cancel_requested_at IS NULL AND d.error IS NULL THEN 1 ELSE r.progress
        END,
        error = d.error,
        note = CASE WHEN r.cancel_requested_at IS NULL THEN r.note ELSE '' END,
        finished_at = now()
    FROM done d
    WHERE r.id = d.id;
END;
$$;
