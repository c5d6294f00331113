-- Cancel a run's jobs that nobody has fetched; answers how many.
-- depends: 0006_fairness

CREATE FUNCTION darkroom_drop_waiting_v1(of_run uuid)
    RETURNS integer
    LANGUAGE sql
AS $$
    WITH dropped AS (
        UPDATE procrastinate_jobs j
        SET status = 'cancelled'
        FROM steps s
        WHERE s.job_id = j.id AND s.run_id = of_run AND j.status = 'todo'
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
