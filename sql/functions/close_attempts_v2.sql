-- The fence for many at once: close the open attempts among the leases as succeeded and end their
-- jobs, in the caller's transaction. Answers the leases that held, and whether the run of each goes
-- on; where it does not ('cancelled') nothing is changed. A lease that is not answered was lost.
-- Beside v1 it keeps what the attempts logged: `logs` holds it in the order of the leases.
-- depends: 0028_attempt_logs wake_next_v1

CREATE FUNCTION darkroom_close_attempts_v2(leases bigint[], logs text[])
    RETURNS TABLE (lease bigint, verdict text)
    LANGUAGE sql
AS $$
    WITH held AS MATERIALIZED (
        SELECT a.id, a.job_id
        FROM attempts a
        JOIN procrastinate_jobs j ON j.id = a.job_id
        WHERE a.id = ANY(leases) AND a.finished_at IS NULL AND j.status = 'doing'
        ORDER BY a.id
        FOR UPDATE OF a, j
    ),
    judged AS MATERIALIZED (
        SELECT
            h.id,
            h.job_id,
            r.id IS NULL
                OR (r.cancel_requested_at IS NULL AND r.status IN ('pending', 'running')) AS wanted
        FROM held h
        LEFT JOIN steps s ON s.job_id = h.job_id
        LEFT JOIN runs r ON r.id = s.run_id
    ),
    closed AS (
        UPDATE attempts a
        SET finished_at = clock_timestamp(), outcome = 'succeeded',
            log = logs[array_position(leases, g.id)]
        FROM judged g
        WHERE a.id = g.id AND g.wanted
    ),
    ended AS (
        UPDATE procrastinate_jobs j
        SET status = 'succeeded', attempts = attempts + 1, abort_requested = false,
            worker_id = NULL
        FROM judged g
        WHERE j.id = g.job_id AND g.wanted
        RETURNING j.lock
    ),
    woken AS MATERIALIZED (
        SELECT count(darkroom_wake_next_v1(e.lock)::text) AS locks
        FROM ended e
        WHERE e.lock IS NOT NULL
    )
    SELECT g.id, CASE WHEN g.wanted THEN 'held' ELSE 'cancelled' END
    FROM judged g CROSS JOIN woken
$$;
