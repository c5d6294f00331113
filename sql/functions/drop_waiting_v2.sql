-- Cancel a run's jobs that nobody has fetched; answers how many. The caller holds the run's row. What
-- waited behind a lock of theirs is told.
-- depends: 0006_fairness wake_next_v1

CREATE FUNCTION darkroom_drop_waiting_v2(of_run uuid)
    RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    dropped integer;
    locks text[];
BEGIN
    WITH held AS MATERIALIZED (
        SELECT j.id
        FROM steps s
        JOIN procrastinate_jobs j ON j.id = s.job_id
        WHERE s.run_id = of_run AND j.status = 'todo'
        ORDER BY j.id
        FOR UPDATE OF j
    ),
    dropped_jobs AS (
        UPDATE procrastinate_jobs j
        SET status = 'cancelled'
        FROM held h
        WHERE j.id = h.id
        RETURNING j.id, j.lock
    ),
    ended AS (
        UPDATE steps s
        SET finished_at = now(), waiting_kind = NULL, waiting_on = NULL, waiting_for = NULL
        FROM dropped_jobs d
        WHERE s.job_id = d.id
    )
    SELECT count(*), array_agg(DISTINCT d.lock) FILTER (WHERE d.lock IS NOT NULL)
    INTO dropped, locks
    FROM dropped_jobs d;
    -- In a statement of its own, which no longer sees them waiting.
    PERFORM darkroom_wake_next_v1(l.lock) FROM unnest(locks) AS l(lock);
    RETURN dropped;
END;
$$;
