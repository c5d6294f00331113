-- Tell a job in line when to come.
-- depends: 0007_gates

CREATE FUNCTION darkroom_wait_in_line_v1(
    of_kind text, of_gate text, job bigint, slot timestamptz
)
    RETURNS void
    LANGUAGE sql
AS $$
    UPDATE gate_waits w SET slot_at = slot, not_before = NULL
    WHERE w.job_id = job AND w.kind = of_kind AND w.gate = of_gate
$$;
