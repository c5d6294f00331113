-- Take a gate for the rest of the transaction. Always in this order: provider, pace, owner.
-- depends: 0007_gates

CREATE FUNCTION darkroom_lock_gate_v1(kind text, name text)
    RETURNS void
    LANGUAGE sql
AS $$
    SELECT pg_advisory_xact_lock(hashtext('darkroom ' || kind), hashtext(name))
$$;
