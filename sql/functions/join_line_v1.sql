-- Give a job its place in the line before a gate, or find the one it has; answers how many are
-- before it (more than 1000 are not counted). Behind those of higher priority the owners take
-- turns: nobody's batch keeps the others waiting.
-- depends: 0007_gates

CREATE FUNCTION darkroom_join_line_v1(
    of_kind text, of_gate text, of_provider text, job bigint, of_owner integer, of_priority integer,
    at timestamptz
)
    RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    mine gate_waits;
    ahead integer;
BEGIN
    INSERT INTO gate_waits (job_id, kind, gate, provider, owner_id, priority, slot_at, since, turn)
    SELECT
        job, of_kind, of_gate, of_provider, of_owner, of_priority, at, at,
        greatest(
            coalesce((
                SELECT min(w.turn) FROM gate_waits w
                WHERE w.kind = of_kind AND w.gate = of_gate
                    AND -w.priority::bigint = -of_priority::bigint
            ), 0),
            coalesce((
                SELECT max(w.turn) + 1 FROM gate_waits w
                WHERE w.kind = of_kind AND w.gate = of_gate AND w.owner_id = of_owner
                    AND -w.priority::bigint = -of_priority::bigint
            ), 0)
        )
    -- Here it is, though it may have missed the slot it was told.
    ON CONFLICT (job_id, kind, gate) DO UPDATE SET slot_at = at, not_before = NULL;

    SELECT * INTO mine FROM gate_waits w
    WHERE w.job_id = job AND w.kind = of_kind AND w.gate = of_gate;

    SELECT count(*) INTO ahead
    FROM (
        SELECT FROM gate_waits w
        WHERE w.kind = of_kind AND w.gate = of_gate
            AND (-w.priority::bigint, w.turn, w.position)
                < (-mine.priority::bigint, mine.turn, mine.position)
        LIMIT 1000
    ) counted;
    RETURN ahead;
END;
$$;
