-- What keeps the console fast whatever the backlog looks like, and chores that one worker process
-- does for all.
-- depends: 0011_signals

-- What is scheduled or behind a lock, counted lane by lane, so that a backlog in one lane is not read
-- for the others. It holds no row of a plain step.
CREATE INDEX jobs_held_back_idx ON procrastinate_jobs (queue_name, scheduled_at, id)
    WHERE status = 'todo' AND (scheduled_at IS NOT NULL OR lock IS NOT NULL);

-- attempt_minutes with ten minutes together, for looks back at more than ten hours.
CREATE TABLE attempt_tens (
    -- The first of the ten.
    minute timestamptz NOT NULL,
    lane text NOT NULL,
    task text NOT NULL,
    outcome text NOT NULL,
    attempts bigint NOT NULL,
    run_seconds double precision NOT NULL,
    slowest_seconds double precision NOT NULL,
    slowest_job_id bigint NOT NULL,
    PRIMARY KEY (minute, lane, task, outcome)
) WITH (fillfactor = 80);
INSERT INTO attempt_tens (
    minute, lane, task, outcome, attempts, run_seconds, slowest_seconds, slowest_job_id
)
SELECT
    date_bin('10 min', minute, timestamptz '2000-01-01Z'), lane, task, outcome,
    sum(attempts), sum(run_seconds), max(slowest_seconds),
    (array_agg(slowest_job_id ORDER BY slowest_seconds DESC, slowest_job_id))[1]
FROM attempt_minutes
GROUP BY 1, 2, 3, 4;
-- The present minute's rows are added to until it is over.
ALTER TABLE attempt_minutes SET (fillfactor = 80);

-- As before, but who does not ask how long steps waited does not have them looked up.
CREATE OR REPLACE VIEW attempts_unrolled AS
SELECT
    date_trunc('minute', a.finished_at) AS minute,
    j.queue_name::text AS lane,
    j.task_name::text AS task,
    a.outcome,
    a.job_id,
    a.finished_at,
    greatest(0, extract(epoch FROM a.finished_at - a.started_at))::double precision
        AS run_seconds,
    CASE WHEN a.number = 1
        THEN greatest(0, extract(epoch FROM
            a.started_at - (SELECT s.created_at FROM steps s WHERE s.job_id = a.job_id)
        ))::double precision
    END AS wait_seconds
FROM (
    SELECT *
    FROM attempts
    WHERE finished_at >= (SELECT rolled_to FROM rollup_progress)
    ORDER BY finished_at DESC
    LIMIT 20000
) a
CROSS JOIN LATERAL (SELECT * FROM procrastinate_jobs WHERE id = a.job_id LIMIT 1) j;

-- What every worker process would do, but one is enough: whoever holds the row does it.
CREATE TABLE chores (
    name text PRIMARY KEY,
    done_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO chores (name) VALUES ('reconcile_runs'), ('roll_up');

-- After how many seconds without a heartbeat a worker counts as lost: its own setting.
ALTER TABLE worker_lanes ADD COLUMN stale_seconds double precision NOT NULL DEFAULT 30;
