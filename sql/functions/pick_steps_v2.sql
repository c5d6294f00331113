-- Choose and lock up to max_jobs due jobs of a lane: highest priority first, and within a priority
-- the owners take turns, whether their jobs carry procrastinate locks or not. Of the jobs that share
-- a lock only the first may go, and only while none of them runs. What is not due or waits behind a
-- lock is never read, however much of it there is. The caller holds the lane's advisory lock.
-- depends: 0006_fairness owners_in_turn_v1 lock_heads_v1 lock_share_v1 lock_steps_v1

CREATE FUNCTION darkroom_pick_steps_v2(lane text, max_jobs integer)
    RETURNS bigint[]
    LANGUAGE plpgsql
    -- The order of the partial indexes is the order wanted; a plan made while the table was empty
    -- must not stay. With one plan in sight, making it anew for every lock would be half of the time.
    SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off
    SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    picked bigint[] := '{}';
    heads bigint[];
    level bigint;
    owners integer[];
    lock_owners integer[];
    owner integer;
    last_owner integer;
    began_owner integer;
    began_lock text;
    quota integer;
    got bigint[];
    full_owners integer[];
    lasts bigint[];
BEGIN
    SELECT l.last_owner_id, l.last_lock INTO began_owner, began_lock
    FROM lanes l WHERE l.name = lane;
    last_owner := began_owner;
    heads := darkroom_lock_heads_v1(lane, greatest(max_jobs, 32), 64 + max_jobs);
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
        lock_owners := ARRAY(
            SELECT DISTINCT j.owner_id FROM procrastinate_jobs j
            WHERE j.id = ANY(heads) AND -j.priority::bigint = level
        );
        IF cardinality(lock_owners) > 0 THEN
            owners := ARRAY(
                SELECT o.id
                FROM (SELECT unnest(owners) UNION SELECT unnest(lock_owners)) o(id)
                ORDER BY o.id <= coalesce(last_owner, 0), o.id
                LIMIT max_jobs - cardinality(picked)
            );
        END IF;
        quota := ceil((max_jobs - cardinality(picked))::numeric / greatest(cardinality(owners), 1));
        full_owners := '{}';
        lasts := '{}';
        FOREACH owner IN ARRAY owners LOOP
            got := CASE WHEN owner = ANY(lock_owners)
                THEN darkroom_lock_share_v1(
                    lane, level, owner, heads, least(quota, max_jobs - cardinality(picked))
                )
                ELSE darkroom_lock_steps_v1(
                    lane, level, owner, 0, least(quota, max_jobs - cardinality(picked))
                )
            END;
            picked := picked || got;
            IF cardinality(got) > 0 THEN
                last_owner := owner;
            END IF;
            IF cardinality(got) = quota THEN
                full_owners := full_owners || owner;
                lasts := lasts || coalesce(
                    (SELECT max(g.id) FROM unnest(got) g(id) WHERE g.id <> ALL(heads)), 0
                );
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
    IF cardinality(picked) < max_jobs THEN
        -- Nothing else is due: look further for a lock that is free before the lane goes to rest.
        heads := darkroom_lock_heads_v1(lane, max_jobs, 1000);
        picked := picked || ARRAY(
            SELECT j.id FROM procrastinate_jobs j
            WHERE j.id = ANY(heads) AND j.id <> ALL(picked) AND j.status = 'todo'
            LIMIT max_jobs - cardinality(picked)
            FOR UPDATE SKIP LOCKED
        );
    ELSIF cardinality(heads) > 0 AND last_owner > began_owner THEN
        -- The same locks are looked at until the turn has gone round: else an owner's locks might be
        -- out of sight whenever it is their turn.
        UPDATE lanes l SET last_lock = began_lock
        WHERE l.name = lane AND l.last_lock <> began_lock;
    END IF;
    UPDATE lanes l SET last_owner_id = last_owner
    WHERE l.name = lane AND l.last_owner_id <> last_owner;
    RETURN picked;
END;
$$;
