-- Make jobs whose time has come fetchable and wake their lanes; answers how many.
-- One caller at a time does the work, the others return at once.
-- depends: 0004_engine wake_lane_v1

CREATE FUNCTION darkroom_promote_due_v1(max_jobs integer)
    RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    promoted integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('darkroom_promote_due')) THEN
        RETURN 0;
    END IF;
    WITH due AS (
        SELECT id
        FROM procrastinate_jobs
        WHERE status = 'todo' AND scheduled_at <= now()
        ORDER BY scheduled_at
        LIMIT max_jobs
        FOR UPDATE SKIP LOCKED
    ),
    moved AS (
        UPDATE procrastinate_jobs j
        SET scheduled_at = NULL
        FROM due
        WHERE j.id = due.id
        RETURNING j.queue_name
    ),
    woken AS (
        SELECT darkroom_wake_lane_v1(queue_name), count(*) AS jobs FROM moved GROUP BY queue_name
    )
    SELECT coalesce(sum(jobs), 0) INTO promoted FROM woken;
    RETURN promoted;
END;
$$;
