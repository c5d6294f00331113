-- Lease up to max_jobs due jobs of a lane to a worker: highest priority first, then oldest.
-- Each leased job gets an open attempt row; that row's id is the lease.
-- depends: 0004_engine

CREATE FUNCTION darkroom_fetch_steps_v1(
    lane text, for_worker_id bigint, worker_name text, max_jobs integer
)
    RETURNS TABLE (
        id bigint, status text, queue_name text, task_name text, priority integer, lock text,
        queueing_lock text, args jsonb, scheduled_at timestamptz, attempts integer,
        abort_requested boolean, worker_id bigint,
        attempt_id bigint, attempt_number integer, run_id uuid, max_attempts integer
    )
    LANGUAGE sql
AS $$
    WITH candidates AS (
        SELECT j.id
        FROM procrastinate_jobs j
        WHERE j.queue_name = lane
            AND j.status = 'todo'
            AND j.scheduled_at IS NULL
            AND j.lock IS NULL
            -- Somebody put a job back past the engine: not before its attempt is closed.
            AND NOT EXISTS (
                SELECT 1 FROM attempts a WHERE a.job_id = j.id AND a.finished_at IS NULL
            )
        ORDER BY j.priority DESC, j.id
        LIMIT max_jobs
        FOR UPDATE SKIP LOCKED
    ),
    leased AS (
        UPDATE procrastinate_jobs j
        SET status = 'doing', worker_id = for_worker_id
        FROM candidates c
        WHERE j.id = c.id
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
    ),
    started AS (
        UPDATE runs r
        SET status = 'running', started_at = coalesce(r.started_at, now())
        FROM leased l JOIN steps s ON s.job_id = l.id
        WHERE r.id = s.run_id AND r.status = 'pending'
    )
    SELECT
        l.id, l.status::text, l.queue_name, l.task_name, l.priority, l.lock,
        l.queueing_lock, l.args, l.scheduled_at, l.attempts, l.abort_requested, l.worker_id,
        o.id, o.number, s.run_id, s.max_attempts
    FROM leased l
    JOIN opened o ON o.job_id = l.id
    LEFT JOIN steps s ON s.job_id = l.id
    ORDER BY l.priority DESC, l.id
$$;
