-- Call the front of a line, as many as there are free places: their jobs are scheduled for the slot,
-- if they were to come later. Answers how many. Rows that somebody holds are left for the next pull.
-- depends: 0007_gates front_v1 trim_line_v1 wake_lane_v1

CREATE FUNCTION darkroom_pull_line_v1(
    of_kind text, of_gate text, slot timestamptz, free integer, at timestamptz
)
    RETURNS integer
    LANGUAGE plpgsql
    -- Few rows of large tables, each by its index.
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    front bigint[];
    pulled integer;
BEGIN
    PERFORM darkroom_trim_line_v1(of_kind, of_gate);
    front := darkroom_front_v1(of_kind, of_gate, at, free);
    WITH next AS (
        SELECT j.id
        FROM gate_waits w
        JOIN procrastinate_jobs j ON j.id = w.job_id
        JOIN steps s ON s.job_id = w.job_id
        WHERE w.job_id = ANY(front)
            AND w.kind = of_kind AND w.gate = of_gate
            AND w.slot_at > slot
            -- Who is scheduled by something else (a retry, another gate) is not ours to call.
            AND j.status = 'todo' AND s.waiting_kind = of_kind AND s.waiting_on = of_gate
        FOR UPDATE OF j SKIP LOCKED
    ),
    called AS (
        UPDATE gate_waits w SET slot_at = slot
        FROM next
        WHERE w.job_id = next.id AND w.kind = of_kind AND w.gate = of_gate
    ),
    moved AS (
        UPDATE procrastinate_jobs j
        SET scheduled_at = CASE WHEN slot > at THEN slot END
        FROM next
        WHERE j.id = next.id AND j.scheduled_at > slot
        RETURNING j.queue_name, j.scheduled_at
    ),
    woken AS (
        SELECT darkroom_wake_lane_v1(queue_name)
        FROM moved WHERE scheduled_at IS NULL GROUP BY queue_name
    )
    SELECT count(*) + 0 * (SELECT count(*) FROM woken) INTO pulled FROM next;
    RETURN pulled;
END;
$$;
