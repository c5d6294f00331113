-- Call everybody who waits for a breaker that has closed, one after the other: half a second apart,
-- or closer where they are so many that it would take more than a minute. Answers how many.
-- depends: 0007_gates

CREATE FUNCTION darkroom_pull_waiters_v1(of_gate text, at timestamptz)
    RETURNS integer
    LANGUAGE sql
    -- Few rows of large tables, each by its index.
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
    WITH line AS (
        SELECT
            w.job_id,
            at + (row_number() OVER (ORDER BY -w.priority::bigint, w.turn, w.position) - 1)
                * least(interval '0.5 s', interval '1 min' / count(*) OVER ()) AS slot
        FROM gate_waits w
        WHERE w.kind = 'breaker' AND w.gate = of_gate
    ),
    wanted AS (
        SELECT l.job_id, l.slot
        FROM line l
        JOIN procrastinate_jobs j ON j.id = l.job_id
        JOIN steps s ON s.job_id = j.id
        WHERE j.status = 'todo' AND j.scheduled_at > l.slot
            AND s.waiting_kind = 'breaker' AND s.waiting_on = of_gate
    ),
    free AS (
        SELECT j.id, w.slot
        FROM wanted w
        JOIN procrastinate_jobs j ON j.id = w.job_id
        WHERE j.status = 'todo' AND j.scheduled_at > w.slot
        FOR UPDATE OF j SKIP LOCKED
    ),
    moved AS (
        UPDATE procrastinate_jobs j SET scheduled_at = f.slot
        FROM free f
        WHERE j.id = f.id
        RETURNING j.id
    ),
    left_line AS (
        DELETE FROM gate_waits w
        WHERE w.kind = 'breaker' AND w.gate = of_gate
            -- Who is on the way back from the closed gate still, or is held by somebody, is called
            -- the next time.
            AND NOT EXISTS (
                SELECT FROM procrastinate_jobs j WHERE j.id = w.job_id AND j.status = 'doing'
            )
            AND w.job_id NOT IN (SELECT job_id FROM wanted EXCEPT SELECT id FROM moved)
    )
    SELECT count(*)::integer FROM moved
$$;
