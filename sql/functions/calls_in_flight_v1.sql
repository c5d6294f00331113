-- How many calls of a provider, or of one owner to it, are in flight. What a closed attempt has left
-- behind does not count.
-- depends: 0007_gates

CREATE FUNCTION darkroom_calls_in_flight_v1(of_provider text, of_owner integer)
    RETURNS integer
    LANGUAGE sql STABLE
    -- Few rows of large tables, each by its index.
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
    SELECT count(*)::integer
    FROM permits p
    JOIN attempts a ON a.id = p.attempt_id AND a.finished_at IS NULL
    WHERE p.provider = of_provider AND (of_owner IS NULL OR p.owner_id = of_owner)
$$;
