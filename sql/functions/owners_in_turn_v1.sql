-- The owners with due jobs of one lane and priority (level = minus the priority), those after
-- last_owner first, then the others; at most max_owners. One index probe an owner.
-- depends: 0006_fairness

CREATE FUNCTION darkroom_owners_in_turn_v1(
    lane text, level bigint, last_owner integer, max_owners integer
)
    RETURNS integer[]
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off
AS $$
DECLARE
    owners integer[] := '{}';
    -- Half way round: the owners up to last_owner come after the others.
    wrapped boolean := false;
    reached integer := last_owner;
    next_owner integer;
BEGIN
    WHILE cardinality(owners) < max_owners LOOP
        SELECT j.owner_id INTO next_owner
        FROM procrastinate_jobs j
        WHERE j.queue_name = lane AND j.status = 'todo' AND j.scheduled_at IS NULL
            AND j.lock IS NULL AND -j.priority::bigint = level AND j.owner_id > reached
        ORDER BY j.owner_id, j.id
        LIMIT 1;
        IF NOT FOUND OR (wrapped AND next_owner > last_owner) THEN
            EXIT WHEN wrapped;
            wrapped := true;
            reached := -1;
        ELSE
            owners := owners || next_owner;
            reached := next_owner;
        END IF;
    END LOOP;
    RETURN owners;
END;
$$;
