-- Why each of these jobs waits: exactly one reason a job that is in the queue, none for others.
-- Of several the one that would still hold if all the later ones were gone:
--   lane_paused   somebody paused its lane
--   no_worker     no worker with a fresh heartbeat takes its lane
--   isolated      somebody holds the breaker it met open
--   breaker, pace, limit, concurrency, budget
--                 the gate it met was closed; it is asked again at `until`
--   device        another worker process has its turn at the device that its model runs on
--   picture       another step makes the same picture; it takes that one
--   cron          another run of its cron job goes on
--   order         what was asked for before it, and must come before it, is not done yet
--   location      somebody has to choose the location that its photos show
--   paused        somebody paused the pipeline it is of
--   retry, unknown_step, stopped
--                 it went wrong, met a worker that does not know it, or lost its worker: again at `until`
--   scheduled     asked for a later time
--   lock          another step with its lock runs, or comes before it
--   turn          the lane is full, and its owner has places while other owners wait too
--   lane_full     every place of the lane is taken
--   next          nothing: a worker is about to take it
-- depends: 0007_gates 0015_console_speed

CREATE FUNCTION darkroom_why_waiting_v4(job_ids bigint[])
    RETURNS TABLE (
        job_id bigint, reason text, waits_on text, until timestamptz, why text
    )
    LANGUAGE sql STABLE
AS $$
    WITH waiting AS MATERIALIZED (
        SELECT
            j.id, j.queue_name AS lane, j.priority, j.lock, j.owner_id,
            CASE WHEN j.scheduled_at > now() THEN j.scheduled_at END AS until,
            CASE WHEN b.state = 'isolated' THEN 'isolated' ELSE s.waiting_kind END AS waiting_kind,
            s.waiting_on,
            b.isolated_reason
        FROM procrastinate_jobs j
        LEFT JOIN steps s ON s.job_id = j.id
        LEFT JOIN breakers b
            ON s.waiting_kind = 'breaker' AND s.waiting_on = b.provider || ' ' || b.operation
        WHERE j.id = ANY(job_ids) AND j.status = 'todo'
    ),
    running AS MATERIALIZED (
        SELECT j.queue_name AS lane, j.owner_id, count(*) AS steps
        FROM attempts a
        JOIN procrastinate_jobs j ON j.id = a.job_id
        WHERE a.finished_at IS NULL
        GROUP BY j.queue_name, j.owner_id
    ),
    manned AS MATERIALIZED (
        SELECT
            l.name AS lane,
            l.paused_at,
            l.pause_reason,
            (
                SELECT coalesce(sum(w.slots), 0)
                FROM worker_lanes w
                JOIN procrastinate_workers p ON p.id = w.worker_id
                WHERE w.lane = l.name
                    AND p.last_heartbeat > now() - make_interval(secs => w.stale_seconds)
            ) AS slots,
            (SELECT coalesce(sum(r.steps), 0) FROM running r WHERE r.lane = l.name) AS taken
        FROM lanes l
    ),
    -- The owners among them that hold places while somebody else waits at their priority.
    served AS MATERIALIZED (
        SELECT o.lane, o.priority, o.owner_id
        FROM (SELECT DISTINCT lane, priority, owner_id FROM waiting) o
        JOIN running r ON r.lane = o.lane AND r.owner_id = o.owner_id
        WHERE EXISTS (
            SELECT FROM procrastinate_jobs j
            WHERE j.queue_name = o.lane AND j.status = 'todo' AND j.scheduled_at IS NULL
                AND j.lock IS NULL AND -j.priority::bigint = -o.priority::bigint
                AND j.owner_id < o.owner_id
        ) OR EXISTS (
            SELECT FROM procrastinate_jobs j
            WHERE j.queue_name = o.lane AND j.status = 'todo' AND j.scheduled_at IS NULL
                AND j.lock IS NULL AND -j.priority::bigint = -o.priority::bigint
                AND j.owner_id > o.owner_id
        )
    ),
    reasoned AS (
        SELECT
            w.*,
            m.pause_reason,
            m.slots,
            first.id AS first_id,
            CASE
                WHEN m.paused_at IS NOT NULL THEN 'lane_paused'
                WHEN coalesce(m.slots, 0) = 0 THEN 'no_worker'
                WHEN w.until IS NOT NULL THEN coalesce(w.waiting_kind, 'scheduled')
                WHEN first.id IS NOT NULL THEN 'lock'
                WHEN m.taken < m.slots THEN 'next'
                WHEN v.owner_id IS NOT NULL THEN 'turn'
                ELSE 'lane_full'
            END AS reason
        FROM waiting w
        LEFT JOIN manned m ON m.lane = w.lane
        LEFT JOIN served v
            ON v.lane = w.lane AND v.priority = w.priority AND v.owner_id = w.owner_id
        LEFT JOIN LATERAL (
            -- Who holds its lock or goes before it: by priority and age, in whatever lane.
            (
                SELECT o.id FROM procrastinate_jobs o
                WHERE o.lock = w.lock AND o.status = 'doing'
                LIMIT 1
            )
            UNION ALL
            (
                SELECT o.id FROM procrastinate_jobs o
                WHERE o.status = 'todo' AND o.lock = w.lock AND o.lock COLLATE "C" = w.lock
                ORDER BY o.lock COLLATE "C", -o.priority::bigint, o.id
                LIMIT 1
            )
            LIMIT 1
        ) first ON w.lock IS NOT NULL AND first.id <> w.id
    )
    SELECT
        r.id,
        r.reason,
        CASE
            WHEN r.reason IN ('lane_paused', 'no_worker', 'lane_full', 'turn', 'next') THEN r.lane
            WHEN r.reason = 'lock' THEN r.lock
            ELSE r.waiting_on
        END,
        CASE WHEN r.reason NOT IN ('lane_paused', 'no_worker', 'isolated', 'location', 'paused') THEN r.until END,
        CASE r.reason
            WHEN 'lane_paused' THEN 'lane ' || r.lane || ' is paused'
                || coalesce(': ' || nullif(r.pause_reason, ''), '')
            WHEN 'no_worker' THEN 'no worker takes lane ' || r.lane
            WHEN 'isolated' THEN 'breaker ' || r.waiting_on || ' is isolated'
                || coalesce(': ' || nullif(r.isolated_reason, ''), '')
            WHEN 'breaker' THEN concat_ws(' ', 'breaker', r.waiting_on, 'is open')
            WHEN 'pace' THEN concat_ws(' ', 'paced by', r.waiting_on)
            WHEN 'limit' THEN concat_ws(' ', 'limit', r.waiting_on, 'is reached')
            WHEN 'concurrency' THEN concat_ws(' ', 'all calls', r.waiting_on, 'may have are in flight')
            WHEN 'budget' THEN concat_ws(' ', 'budget', r.waiting_on, 'is spent')
            WHEN 'device' THEN concat_ws(' ', 'another worker process has its turn at', r.waiting_on)
            WHEN 'picture' THEN 'the same picture is being made already'
            WHEN 'cron' THEN concat_ws(' ', 'another run of', r.waiting_on, 'goes on')
            WHEN 'order' THEN 'what was asked for earlier goes first'
            WHEN 'location' THEN 'waits for a location to be chosen'
            WHEN 'paused' THEN concat_ws(' ', 'paused by', r.waiting_on)
            WHEN 'retry' THEN 'it went wrong and is tried again'
            WHEN 'unknown_step' THEN 'the last worker that took it does not know this step'
            WHEN 'stopped' THEN 'its worker stopped'
            WHEN 'scheduled' THEN 'asked for a later time'
            WHEN 'lock' THEN 'step ' || r.first_id || ' with the lock ' || r.lock || ' goes first'
            WHEN 'turn' THEN 'the owners in lane ' || r.lane || ' take turns'
            WHEN 'lane_full' THEN 'all ' || r.slots || ' places of lane ' || r.lane || ' are taken'
            WHEN 'next' THEN 'a worker takes it next'
            ELSE r.reason
        END
    FROM reasoned r
$$;
