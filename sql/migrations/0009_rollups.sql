-- Minute rollups: what history is read from, so that no dashboard has to read finished attempts.
-- Filled by darkroom_roll_up_v1(), each attempt exactly once.
-- depends: 0006_fairness

-- Up to where (a whole minute, exclusive) attempts are rolled up. One row.
CREATE TABLE rollup_progress (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    rolled_to timestamptz NOT NULL
);
INSERT INTO rollup_progress (rolled_to) VALUES ('-infinity');

-- Attempts that ended in a minute. Minutes, lanes, tasks and outcomes without any have no row.
CREATE TABLE attempt_minutes (
    minute timestamptz NOT NULL,
    lane text NOT NULL,
    task text NOT NULL,
    outcome text NOT NULL,
    attempts bigint NOT NULL,
    -- From start to end, all of them together, and the longest with its job.
    run_seconds double precision NOT NULL,
    slowest_seconds double precision NOT NULL,
    slowest_job_id bigint NOT NULL,
    PRIMARY KEY (minute, lane, task, outcome)
);

-- Histograms of the same attempts, ten minutes together as nobody asks for less: how many fell
-- into which bucket of darkroom_buckets_v1().
CREATE TABLE latency_minutes (
    -- The first of the ten.
    minute timestamptz NOT NULL,
    lane text NOT NULL,
    task text NOT NULL,
    -- 'run': start to end of an attempt that succeeded; 'wait': from being asked for to the start
    -- of the first attempt, which for a step asked for a later time counts that time too.
    kind text NOT NULL CHECK (kind IN ('run', 'wait')),
    bucket smallint NOT NULL,
    attempts bigint NOT NULL,
    seconds double precision NOT NULL,
    PRIMARY KEY (minute, lane, task, kind, bucket)
) WITH (fillfactor = 80);

-- The same since ever, for counters that never fall.
CREATE TABLE attempt_totals (
    lane text NOT NULL,
    task text NOT NULL,
    outcome text NOT NULL,
    attempts bigint NOT NULL,
    run_seconds double precision NOT NULL,
    PRIMARY KEY (lane, task, outcome)
) WITH (fillfactor = 50);
CREATE TABLE latency_totals (
    lane text NOT NULL,
    task text NOT NULL,
    kind text NOT NULL,
    bucket smallint NOT NULL,
    attempts bigint NOT NULL,
    seconds double precision NOT NULL,
    PRIMARY KEY (lane, task, kind, bucket)
) WITH (fillfactor = 50);

-- Attempts that went wrong, newest first: failures and dead letters. An attempt that succeeds
-- never enters it.
CREATE INDEX attempts_wrong_idx ON attempts (finished_at, id) WHERE error_class IS NOT NULL;

-- What is not rolled up yet: the newest 20 000 attempts that ended since. With the rollups running
-- that is the present minute and the one before. Their jobs and steps are looked up one by one: how
-- few they are no plan knows, and reading both tables whole takes seconds once they are large.
CREATE VIEW attempts_unrolled AS
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
        THEN greatest(0, extract(epoch FROM a.started_at - s.created_at))::double precision
    END AS wait_seconds
FROM (
    SELECT *
    FROM attempts
    WHERE finished_at >= (SELECT rolled_to FROM rollup_progress)
    ORDER BY finished_at DESC
    LIMIT 20000
) a
CROSS JOIN LATERAL (SELECT * FROM procrastinate_jobs WHERE id = a.job_id LIMIT 1) j
LEFT JOIN LATERAL (SELECT * FROM steps WHERE job_id = a.job_id LIMIT 1) s ON true;
