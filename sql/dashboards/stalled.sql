-- What stands still, and nobody will move it unless the engine or a person does?
--
-- job_id, run_id, lane, task
-- reason               worker_gone, worker_silent, no_attempt, not_promoted, no_steps
-- why                  the same in a sentence
-- since                since when
--
-- An engine at work clears most of these by itself within a minute (rescue, promotion).
-- Cost: open attempts, running jobs, due jobs and open runs by their partial indexes; 200 of each.
(
    SELECT
        a.job_id,
        s.run_id,
        j.queue_name AS lane,
        j.task_name AS task,
        CASE WHEN w.id IS NULL THEN 'worker_gone' ELSE 'worker_silent' END AS reason,
        CASE
            WHEN w.id IS NULL THEN 'its worker ' || a.worker || ' is gone'
            ELSE 'its worker ' || a.worker || ' is silent'
        END AS why,
        coalesce(w.last_heartbeat, a.started_at) AS since
    FROM attempts a
    JOIN procrastinate_jobs j ON j.id = a.job_id
    LEFT JOIN steps s ON s.job_id = a.job_id
    LEFT JOIN procrastinate_workers w ON w.id = a.worker_id
    LEFT JOIN worker_lanes l ON l.worker_id = a.worker_id
    WHERE a.finished_at IS NULL
        AND (
            w.id IS NULL
            OR w.last_heartbeat < now() - make_interval(secs => coalesce(l.stale_seconds, 30))
        )
    ORDER BY a.started_at
    LIMIT 200
)
UNION ALL
(
    SELECT
        j.id, s.run_id, j.queue_name, j.task_name,
        'no_attempt', 'it is marked as running, but has no attempt', s.created_at
    FROM procrastinate_jobs j
    LEFT JOIN steps s ON s.job_id = j.id
    WHERE j.status = 'doing'
        AND NOT EXISTS (SELECT FROM attempts a WHERE a.job_id = j.id AND a.finished_at IS NULL)
    LIMIT 200
)
UNION ALL
(
    SELECT
        j.id, s.run_id, j.queue_name, j.task_name,
        'not_promoted', 'it is due, but nobody made it fetchable (does a worker run?)', j.scheduled_at
    FROM procrastinate_jobs j
    LEFT JOIN steps s ON s.job_id = j.id
    WHERE j.status = 'todo' AND j.scheduled_at < now() - interval '30 s'
    ORDER BY j.scheduled_at
    LIMIT 200
)
UNION ALL
(
    SELECT
        NULL, r.id, NULL, r.pipeline, 'no_steps', 'the run is open, but none of its steps is',
        r.created_at
    FROM (
        SELECT *
        FROM runs
        WHERE status IN ('pending', 'running')
        ORDER BY created_at
        LIMIT 1000
    ) r
    LEFT JOIN LATERAL (
        SELECT s.job_id
        FROM steps s
        JOIN procrastinate_jobs j ON j.id = s.job_id
        WHERE s.run_id = r.id AND j.status IN ('todo', 'doing')
        LIMIT 1
    ) open_step ON true
    WHERE r.created_at < now() - interval '30 s' AND open_step.job_id IS NULL
    ORDER BY r.created_at
    LIMIT 200
)
ORDER BY since
