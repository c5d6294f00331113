-- Lease up to max_jobs due jobs of a lane to a worker, in the order of darkroom_pick_steps_v2. Each
-- leased job gets an open attempt row; that row's id is the lease. A paused lane gives nothing.
-- depends: 0006_fairness pick_steps_v2 wake_lane_v1

CREATE FUNCTION darkroom_fetch_steps_v3(
    lane text, for_worker_id bigint, worker_name text, max_jobs integer
)
    RETURNS TABLE (
        id bigint, queue_name text, task_name text, priority integer, args jsonb, attempts integer,
        worker_id bigint, attempt_id bigint, attempt_number integer, run_id uuid,
        owner_id integer, max_attempts integer
    )
    LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    picked bigint[];
    unready bigint[];
BEGIN
    IF EXISTS (SELECT 1 FROM lanes l WHERE l.name = lane AND l.paused_at IS NOT NULL) THEN
        RETURN;
    END IF;
    -- One at a time: who fetches beside another would find its rows locked and go away hungry.
    PERFORM pg_advisory_xact_lock(hashtext('darkroom_fetch'), hashtext(lane));
    picked := darkroom_pick_steps_v2(lane, max_jobs);
    IF cardinality(picked) = 0 THEN
        RETURN;
    END IF;
    -- Whoever holds a run may wait for its jobs, which are ours now: we do not wait for the run.
    WITH free AS MATERIALIZED (
        SELECT r.id FROM runs r
        WHERE r.id IN (SELECT s.run_id FROM steps s WHERE s.job_id = ANY(picked))
            AND r.status = 'pending'
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE runs r
    SET status = 'running', started_at = coalesce(r.started_at, now())
    FROM free f
    WHERE r.id = f.id;
    unready := ARRAY(
        SELECT s.job_id FROM steps s JOIN runs r ON r.id = s.run_id
        WHERE s.job_id = ANY(picked) AND r.status = 'pending'
    );
    IF cardinality(unready) > 0 THEN
        picked := ARRAY(
            SELECT p.id FROM unnest(picked) WITH ORDINALITY AS p(id, place)
            WHERE p.id <> ALL(unready) ORDER BY p.place
        );
        PERFORM darkroom_wake_lane_v1(lane);
    END IF;
    RETURN QUERY
    WITH leased AS (
        UPDATE procrastinate_jobs j
        SET status = 'doing', worker_id = for_worker_id
        WHERE j.id = ANY(picked) AND j.status = 'todo'
        RETURNING j.*
    ),
    opened AS (
        INSERT INTO attempts (job_id, number, worker_id, worker)
        SELECT
            l.id,
            1 + coalesce((SELECT max(a.number) FROM attempts a WHERE a.job_id = l.id), 0),
            for_worker_id,
            worker_name
        FROM leased l
        RETURNING attempts.id, attempts.job_id, attempts.number
    )
    SELECT
        l.id, l.queue_name::text, l.task_name::text, l.priority, l.args, l.attempts,
        l.worker_id, o.id, o.number, s.run_id, s.owner_id, s.max_attempts
    FROM leased l
    JOIN opened o ON o.job_id = l.id
    LEFT JOIN steps s ON s.job_id = l.id
    ORDER BY array_position(picked, l.id);
END;
$$;
