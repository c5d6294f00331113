-- How much waits in each lane and task, and for how long?
--
-- lane, task
-- waiting              steps that may be fetched now (or once their lock is free)
-- scheduled            steps put back or asked for a later time
-- running              steps that a worker has
-- oldest_wait_seconds  since the oldest step that may be fetched now was asked for
-- next_due_at          when the first of the scheduled ones is due
-- capped               true where a lane holds more than was counted: the figures are then least values
--
-- Cost: partial indexes, 10 000 waiting, locked and scheduled steps a lane at most. (Each in an index's
-- order: by its guess of where the rows lie the planner would read the whole table.)
WITH counted AS (
    SELECT l.name AS lane, found.*
    FROM lanes l
    CROSS JOIN LATERAL (
        (
            SELECT task_name, id, 'waiting' AS state, NULL::timestamptz AS scheduled_at
            FROM procrastinate_jobs
            WHERE queue_name = l.name AND status = 'todo' AND scheduled_at IS NULL AND lock IS NULL
            ORDER BY -priority::bigint, owner_id, id
            LIMIT 10000
        )
        UNION ALL
        (
            SELECT task_name, id, 'waiting', NULL
            FROM procrastinate_jobs
            -- Locked, said in the words of the index, so that it alone can answer.
            WHERE queue_name = l.name AND status = 'todo' AND scheduled_at IS NULL
                AND (scheduled_at IS NOT NULL OR lock IS NOT NULL)
            ORDER BY scheduled_at, id
            LIMIT 10000
        )
        UNION ALL
        (
            SELECT task_name, id, 'scheduled', scheduled_at
            FROM procrastinate_jobs
            WHERE queue_name = l.name AND status = 'todo' AND scheduled_at IS NOT NULL
            ORDER BY scheduled_at
            LIMIT 10000
        )
        UNION ALL
        SELECT j.task_name, j.id, 'running', NULL
        FROM attempts a
        JOIN procrastinate_jobs j ON j.id = a.job_id
        WHERE a.finished_at IS NULL AND j.queue_name = l.name
    ) found
),
grouped AS (
    SELECT
        lane,
        task_name AS task,
        count(*) FILTER (WHERE state = 'waiting') AS waiting,
        count(*) FILTER (WHERE state = 'scheduled') AS scheduled,
        count(*) FILTER (WHERE state = 'running') AS running,
        min(id) FILTER (WHERE state = 'waiting') AS oldest_id,
        min(scheduled_at) AS next_due_at,
        sum(count(*) FILTER (WHERE state <> 'running')) OVER (PARTITION BY lane) >= 10000 AS capped
    FROM counted
    GROUP BY lane, task_name
)
SELECT
    g.lane,
    g.task,
    g.waiting,
    g.scheduled,
    g.running,
    round(extract(epoch FROM now() - s.created_at), 1) AS oldest_wait_seconds,
    g.next_due_at,
    g.capped
FROM grouped g
LEFT JOIN steps s ON s.job_id = g.oldest_id
ORDER BY g.waiting DESC, g.running DESC, g.scheduled DESC, g.lane, g.task
LIMIT 500
