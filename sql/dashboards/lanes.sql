-- How is each lane doing: paused, manned, full, behind?
--
-- lane
-- workers, slots       worker processes that live (a heartbeat within their stale time), and their places
-- running              steps that a worker has
-- waiting, scheduled   steps that may be fetched now; those put back or asked for a later time
-- capped               true where more than 10 000 wait or are scheduled: least values
-- oldest_wait_seconds  since the oldest step that may be fetched now was asked for
-- paused_at, paused_by, pause_reason
--
-- Cost: partial indexes, 10 000 entries a lane and state at most. (Each in an index's order: by its
-- guess of where the rows lie the planner would read the whole table.)
SELECT
    l.name AS lane,
    manned.workers,
    manned.slots,
    busy.running,
    ready.waiting,
    later.scheduled,
    ready.waiting >= 10000 OR later.scheduled >= 10000 AS capped,
    round(extract(epoch FROM now() - oldest.created_at), 1) AS oldest_wait_seconds,
    l.paused_at,
    coalesce(u.name, CASE WHEN l.paused_at IS NOT NULL THEN 'cli' END) AS paused_by,
    l.pause_reason
FROM lanes l
LEFT JOIN users u ON u.id = l.paused_by
CROSS JOIN LATERAL (
    SELECT count(*) AS workers, coalesce(sum(w.slots), 0) AS slots
    FROM worker_lanes w
    JOIN procrastinate_workers p ON p.id = w.worker_id
    WHERE w.lane = l.name AND p.last_heartbeat > now() - make_interval(secs => w.stale_seconds)
) manned
CROSS JOIN LATERAL (
    SELECT count(*) AS running
    FROM attempts a
    JOIN procrastinate_jobs j ON j.id = a.job_id
    WHERE a.finished_at IS NULL AND j.queue_name = l.name
) busy
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(id) AS oldest_id
    FROM (
        (
            SELECT id
            FROM procrastinate_jobs
            WHERE queue_name = l.name AND status = 'todo' AND scheduled_at IS NULL AND lock IS NULL
            ORDER BY -priority::bigint, owner_id, id
            LIMIT 10000
        )
        UNION ALL
        (
            SELECT id
            FROM procrastinate_jobs
            -- Locked, said in the words of the index, so that it alone can answer.
            WHERE queue_name = l.name AND status = 'todo' AND scheduled_at IS NULL
                AND (scheduled_at IS NOT NULL OR lock IS NOT NULL)
            ORDER BY scheduled_at, id
            LIMIT 10000
        )
    ) found
) ready
CROSS JOIN LATERAL (
    SELECT count(*) AS scheduled
    FROM (
        SELECT FROM procrastinate_jobs
        WHERE queue_name = l.name AND status = 'todo' AND scheduled_at IS NOT NULL
        ORDER BY scheduled_at
        LIMIT 10000
    ) found
) later
LEFT JOIN steps oldest ON oldest.job_id = ready.oldest_id
ORDER BY l.name
