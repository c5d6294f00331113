-- Cancel a run's jobs that nobody has fetched; answers how many. The caller holds the run's row.
-- depends: 0006_fairness

CREATE FUNCTION darkroom_drop_waiting_v1(of_run uuid)
    RETURNS integer
    LANGUAGE sql
AS $$
    WITH held AS MATERIALIZED (
        SELECT j.id
        FROM steps s
        JOIN procrastinate_jobs j ON j.id = s.job_id
        WHERE s.run_id = of_run AND j.status = 'todo'
        ORDER BY j.id
        FOR UPDATE OF j
    ),
    dropped AS (
        UPDATE procrastinate_jobs j
        SET status = 'cancelled'
        FROM held h
        WHERE j.id = h.id
        RETURNING j.id
    ),
    ended AS (
        UPDATE steps s
        SET finished_at = now(), waiting_kind = NULL, waiting_on = NULL, waiting_for = NULL
        FROM dropped d
        WHERE s.job_id = d.id
    )
    SELECT count(*)::integer FROM dropped
$$;
