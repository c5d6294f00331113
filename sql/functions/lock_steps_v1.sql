-- Lock the oldest due jobs of one lane, priority (level = minus the priority) and owner, after a
-- given id; those that somebody else holds are passed over.
-- depends: 0006_fairness

CREATE FUNCTION darkroom_lock_steps_v1(
    lane text, level bigint, owner integer, after_id bigint, max_jobs integer
)
    RETURNS bigint[]
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off
AS $$
BEGIN
    RETURN ARRAY(
        SELECT j.id
        FROM procrastinate_jobs j
        WHERE j.queue_name = lane AND j.status = 'todo' AND j.scheduled_at IS NULL
            AND j.lock IS NULL AND -j.priority::bigint = level AND j.owner_id = owner
            AND j.id > after_id
            -- Somebody put a job back past the engine: not before its attempt is closed.
            AND NOT EXISTS (
                SELECT 1 FROM attempts a WHERE a.job_id = j.id AND a.finished_at IS NULL
            )
        ORDER BY j.id
        LIMIT max_jobs
        FOR UPDATE OF j SKIP LOCKED
    );
END;
$$;
