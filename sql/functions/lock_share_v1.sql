-- Lock up to max_jobs due jobs of one lane, priority (level = minus the priority) and owner, the
-- oldest first: those that carry no procrastinate lock, and of the heads (the first jobs of free
-- locks, of whatever owner) their own. In a share of several the heads go together, those that are
-- older than the oldest of the others before them, the rest behind.
-- depends: 0006_fairness lock_steps_v1

CREATE FUNCTION darkroom_lock_share_v1(
    lane text, level bigint, owner integer, heads bigint[], max_jobs integer
)
    RETURNS bigint[]
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off
AS $$
DECLARE
    own bigint[] := ARRAY(
        SELECT j.id FROM procrastinate_jobs j
        WHERE j.id = ANY(heads) AND -j.priority::bigint = level AND j.owner_id = owner
        ORDER BY j.id
    );
    oldest bigint;
    share bigint[];
BEGIN
    SELECT j.id INTO oldest
    FROM procrastinate_jobs j
    WHERE j.queue_name = lane AND j.status = 'todo' AND j.scheduled_at IS NULL
        AND j.lock IS NULL AND -j.priority::bigint = level AND j.owner_id = owner
    ORDER BY j.id
    LIMIT 1;
    share := ARRAY(
        SELECT j.id FROM procrastinate_jobs j
        WHERE j.id = ANY(own) AND j.status = 'todo' AND (oldest IS NULL OR j.id < oldest)
        ORDER BY j.id
        LIMIT max_jobs
        FOR UPDATE SKIP LOCKED
    );
    share := share || darkroom_lock_steps_v1(
        lane, level, owner, 0, max_jobs - cardinality(share)
    );
    RETURN share || ARRAY(
        SELECT j.id FROM procrastinate_jobs j
        WHERE j.id = ANY(own) AND j.status = 'todo' AND j.id > oldest
        ORDER BY j.id
        LIMIT max_jobs - cardinality(share)
        FOR UPDATE SKIP LOCKED
    );
END;
$$;
