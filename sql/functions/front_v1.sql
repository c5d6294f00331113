-- The jobs at the front of a line that are to be let through first: those that come by the slot they
-- were told, did not miss it by more than 5 s, and are not held back by another gate. Looks at the
-- first 1000 only.
-- depends: 0007_gates

CREATE FUNCTION darkroom_front_v1(
    of_kind text, of_gate text, at timestamptz, at_most integer
)
    RETURNS bigint[]
    LANGUAGE sql STABLE
    -- Few rows of large tables, each by its index.
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
    SELECT ARRAY(
        SELECT w.job_id
        FROM (
            SELECT f.*
            FROM gate_waits f
            WHERE f.kind = of_kind AND f.gate = of_gate
            ORDER BY -f.priority::bigint, f.turn, f.position
            LIMIT 1000
        ) w
        JOIN procrastinate_jobs j ON j.id = w.job_id
        WHERE w.slot_at > at - interval '5 s'
            AND (w.not_before IS NULL OR w.not_before <= at)
            AND (
                j.status = 'doing'
                OR j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= w.slot_at)
            )
        ORDER BY -w.priority::bigint, w.turn, w.position
        LIMIT greatest(at_most, 0)
    )
$$;
