-- Take out of the front of a line those whose job is over.
-- depends: 0007_gates

CREATE FUNCTION darkroom_trim_line_v1(of_kind text, of_gate text)
    RETURNS void
    LANGUAGE plpgsql
    -- Few rows of large tables, each by its index.
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    gone integer;
BEGIN
    LOOP
        DELETE FROM gate_waits w
        WHERE w.kind = of_kind AND w.gate = of_gate
            AND w.job_id = ANY(ARRAY(
                SELECT f.job_id
                FROM gate_waits f
                WHERE f.kind = of_kind AND f.gate = of_gate
                ORDER BY -f.priority::bigint, f.turn, f.position
                LIMIT 50
            ))
            AND NOT EXISTS (
                SELECT FROM procrastinate_jobs j
                WHERE j.id = w.job_id AND j.status IN ('todo', 'doing')
            );
        GET DIAGNOSTICS gone = ROW_COUNT;
        -- A batch that was cancelled: there may be more.
        EXIT WHEN gone < 25;
    END LOOP;
END;
$$;
