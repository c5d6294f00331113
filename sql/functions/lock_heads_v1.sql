-- Of the due jobs of a lane that carry a procrastinate lock: the first of each lock that is free,
-- for up to max_locks locks. The scan goes from lock to lock (one probe each, 10 us, however many jobs
-- wait behind it), begins after the lock where the last one ended, and ends after max_probes. As
-- procrastinate has it, a job goes first by priority and age over all lanes, also while it waits for
-- its time.
-- depends: 0006_fairness

CREATE FUNCTION darkroom_lock_heads_v1(lane text, max_locks integer, max_probes integer)
    RETURNS bigint[]
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off
AS $$
DECLARE
    heads bigint[] := '{}';
    began text := coalesce((SELECT l.last_lock FROM lanes l WHERE l.name = lane), '');
    reached text := began;
    wrapped boolean := false;
    head record;
BEGIN
    FOR probe IN 1 .. max_probes LOOP
        EXIT WHEN cardinality(heads) >= max_locks;
        SELECT j.id, j.lock, j.queue_name, j.scheduled_at INTO head
        FROM procrastinate_jobs j
        WHERE j.status = 'todo' AND j.lock IS NOT NULL AND j.lock COLLATE "C" >= reached
        ORDER BY j.lock COLLATE "C", -j.priority::bigint, j.id
        LIMIT 1;
        IF NOT FOUND OR (wrapped AND head.lock COLLATE "C" >= began) THEN
            EXIT WHEN wrapped OR began = '';
            wrapped := true;
            reached := '';
            CONTINUE;
        END IF;
        -- The least text after it.
        reached := head.lock || chr(1);
        IF head.queue_name = lane AND head.scheduled_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM procrastinate_jobs o WHERE o.lock = head.lock AND o.status = 'doing'
        ) AND NOT EXISTS (
            SELECT 1 FROM attempts a WHERE a.job_id = head.id AND a.finished_at IS NULL
        ) THEN
            heads := heads || head.id;
        END IF;
    END LOOP;
    UPDATE lanes l SET last_lock = reached WHERE l.name = lane AND l.last_lock <> reached;
    RETURN heads;
END;
$$;
