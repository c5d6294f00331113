-- Why does each waiting step wait?
-- One row a step, one reason a row.
--
-- job_id               empty for a callback that is not in the queue yet
-- run_id, lane, task, label, owner
-- reason               lane_paused, no_worker, isolated, breaker, pace, limit, concurrency, budget,
--                      device, picture, cron, order, location, paused, retry, unknown_step,
--                      stopped, scheduled, lock, turn, lane_full, next, children
-- waits_on             which lane, gate, lock …
-- until                when it is tried again, where that is known
-- why                  in a sentence
-- asked_at             when the step was asked for
--
-- Of several reasons the one that would still hold if all later ones were gone: see
-- sql/functions/why_waiting_v4.sql. `children` are callbacks of steps that have not all ended.
-- Cost: of each lane the 100 that are fetched first, the 100 first by lock, the 200 due first, and
-- the callbacks of the 200 oldest open runs; all by partial indexes.
WITH picked AS (
    SELECT found.id
    FROM lanes l
    CROSS JOIN LATERAL (
        SELECT id
        FROM procrastinate_jobs
        WHERE queue_name = l.name AND status = 'todo' AND scheduled_at IS NULL AND lock IS NULL
        ORDER BY -priority::bigint, owner_id, id
        LIMIT 100
    ) found
    UNION
    (
        SELECT id
        FROM procrastinate_jobs
        WHERE status = 'todo' AND lock IS NOT NULL
        ORDER BY lock COLLATE "C", -priority::bigint, id
        LIMIT 100
    )
    UNION
    (
        SELECT id
        FROM procrastinate_jobs
        WHERE status = 'todo' AND scheduled_at IS NOT NULL
        ORDER BY scheduled_at
        LIMIT 200
    )
)
(
    SELECT
        w.job_id, s.run_id, j.queue_name AS lane, j.task_name AS task, s.label, u.name AS owner,
        w.reason, w.waits_on, w.until, w.why, s.created_at AS asked_at
    FROM darkroom_why_waiting_v4(ARRAY(SELECT id FROM picked)) w
    CROSS JOIN LATERAL (SELECT * FROM procrastinate_jobs WHERE id = w.job_id LIMIT 1) j
    LEFT JOIN LATERAL (SELECT * FROM steps WHERE job_id = w.job_id LIMIT 1) s ON true
    LEFT JOIN users u ON u.id = s.owner_id
    ORDER BY j.queue_name, -j.priority::bigint, w.job_id
)
UNION ALL
(
    SELECT
        NULL, f.run_id, f.callback_lane, f.callback, '', u.name,
        'children', f.pending || ' of ' || f.children, NULL,
        'waits for ' || f.pending || ' of ' || f.children || ' steps', f.created_at
    FROM (
        SELECT *
        FROM runs
        WHERE status IN ('pending', 'running')
        ORDER BY created_at
        LIMIT 200
    ) r
    JOIN fan_ins f ON f.run_id = r.id
    LEFT JOIN users u ON u.id = r.owner_id
    WHERE f.fired_at IS NULL AND f.pending > 0
    ORDER BY f.created_at
    LIMIT 200
)
LIMIT 500
