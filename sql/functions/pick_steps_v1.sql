-- Choose and lock up to max_jobs due jobs of a lane: highest priority first, and within a priority
-- the owners take turns. Of the jobs that share a lock only the first may go, and only while none
-- of them runs. What is not due or waits behind a lock is never read, however much of it there is.
-- The caller holds the lane's advisory lock.
-- depends: 0006_fairness

CREATE FUNCTION darkroom_pick_steps_v1(lane text, max_jobs integer)
    RETURNS bigint[]
    LANGUAGE plpgsql
    -- The order of the partial indexes is the order wanted; a plan made while the table was empty
    -- must not stay.
    SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off
AS $$
DECLARE
    picked bigint[] := '{}';
    heads bigint[] := darkroom_lock_heads_v1(lane, max_jobs, 64 + max_jobs);
    level bigint;
    owners integer[];
    owner integer;
    last_owner integer;
    quota integer;
    got bigint[];
    full_owners integer[];
    lasts bigint[];
BEGIN
    SELECT l.last_owner_id INTO last_owner FROM lanes l WHERE l.name = lane;
    level := -2147483649;
    WHILE cardinality(picked) < max_jobs LOOP
        SELECT least(
            (
                SELECT -j.priority::bigint
                FROM procrastinate_jobs j
                WHERE j.queue_name = lane AND j.status = 'todo' AND j.scheduled_at IS NULL
                    AND j.lock IS NULL AND -j.priority::bigint > level
                ORDER BY -j.priority::bigint, j.owner_id, j.id
                LIMIT 1
            ),
            (
                SELECT min(-j.priority::bigint)
                FROM procrastinate_jobs j
                WHERE j.id = ANY(heads) AND -j.priority::bigint > level
            )
        ) INTO level;
        EXIT WHEN level IS NULL;

        owners := darkroom_owners_in_turn_v1(
            lane, level, coalesce(last_owner, 0), max_jobs - cardinality(picked)
        );
        quota := ceil((max_jobs - cardinality(picked))::numeric / (cardinality(owners) + 1));
        got := ARRAY(
            SELECT j.id FROM procrastinate_jobs j
            WHERE j.id = ANY(heads) AND -j.priority::bigint = level AND j.status = 'todo'
            LIMIT CASE WHEN cardinality(owners) = 0 THEN max_jobs ELSE quota END
            FOR UPDATE SKIP LOCKED
        );
        picked := picked || got;
        EXIT WHEN cardinality(picked) >= max_jobs;

        quota := ceil((max_jobs - cardinality(picked))::numeric / greatest(cardinality(owners), 1));
        full_owners := '{}';
        lasts := '{}';
        FOREACH owner IN ARRAY owners LOOP
            got := darkroom_lock_steps_v1(
                lane, level, owner, 0, least(quota, max_jobs - cardinality(picked))
            );
            picked := picked || got;
            IF cardinality(got) > 0 THEN
                last_owner := owner;
            END IF;
            IF cardinality(got) = quota THEN
                full_owners := full_owners || owner;
                lasts := lasts || got[quota];
            END IF;
            EXIT WHEN cardinality(picked) >= max_jobs;
        END LOOP;
        -- What owners with little to do leave over, for those with more, and for the locked jobs.
        FOR place IN 1 .. cardinality(full_owners) LOOP
            EXIT WHEN cardinality(picked) >= max_jobs;
            picked := picked || darkroom_lock_steps_v1(
                lane, level, full_owners[place], lasts[place], max_jobs - cardinality(picked)
            );
        END LOOP;
        IF cardinality(picked) < max_jobs THEN
            picked := picked || ARRAY(
                SELECT j.id FROM procrastinate_jobs j
                WHERE j.id = ANY(heads) AND j.id <> ALL(picked)
                    AND -j.priority::bigint = level AND j.status = 'todo'
                LIMIT max_jobs - cardinality(picked)
                FOR UPDATE SKIP LOCKED
            );
        END IF;
    END LOOP;
    -- Nothing else is due: look further for a lock that is free before the lane goes to rest.
    IF cardinality(picked) < max_jobs THEN
        heads := darkroom_lock_heads_v1(lane, max_jobs, 1000);
        picked := picked || ARRAY(
            SELECT j.id FROM procrastinate_jobs j
            WHERE j.id = ANY(heads) AND j.id <> ALL(picked) AND j.status = 'todo'
            LIMIT max_jobs - cardinality(picked)
            FOR UPDATE SKIP LOCKED
        );
    END IF;
    UPDATE lanes l SET last_owner_id = last_owner
    WHERE l.name = lane AND l.last_owner_id <> last_owner;
    RETURN picked;
END;
$$;
