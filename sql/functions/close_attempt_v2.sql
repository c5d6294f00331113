-- The fence. Close an open attempt and move its job on, in the caller's transaction.
-- Answers false, and changes nothing, when the lease was lost: the caller must roll back.
-- job_status 'todo' puts the job back (at retry_at, or now when null); burn counts the attempt.
-- Beside v1 it keeps what the attempt logged.
-- depends: 0028_attempt_logs wake_lane_v1 wake_next_v1

CREATE FUNCTION darkroom_close_attempt_v2(
    lease bigint, new_outcome text, job_status text, retry_at timestamptz, burn boolean,
    new_error_class text, new_error_message text, new_traceback text, new_log text
)
    RETURNS boolean
    LANGUAGE plpgsql
AS $$
DECLARE
    closed_job bigint;
    lane text;
    held_lock text;
BEGIN
    UPDATE attempts
    SET finished_at = clock_timestamp(), outcome = new_outcome, error_class = new_error_class,
        error_message = new_error_message, traceback = new_traceback, log = new_log
    WHERE id = lease AND finished_at IS NULL
    RETURNING job_id INTO closed_job;

    UPDATE procrastinate_jobs
    SET status = CASE
            -- What somebody wants stopped is not put back (see darkroom_put_back_v1).
            WHEN job_status = 'todo' AND abort_requested THEN 'aborted'
            ELSE job_status::procrastinate_job_status
        END,
        attempts = attempts + CASE WHEN burn THEN 1 ELSE 0 END,
        scheduled_at = CASE WHEN job_status = 'todo' THEN retry_at ELSE scheduled_at END,
        abort_requested = false,
        worker_id = NULL
    WHERE id = closed_job AND status = 'doing'
    RETURNING queue_name, lock INTO lane, held_lock;

    IF lane IS NULL THEN
        RETURN false;
    END IF;
    -- procrastinate notifies on INSERT only.
    IF job_status = 'todo' AND retry_at IS NULL THEN
        PERFORM darkroom_wake_lane_v1(lane);
    END IF;
    IF held_lock IS NOT NULL THEN
        PERFORM darkroom_wake_next_v1(held_lock);
    END IF;
    RETURN true;
END;
$$;
