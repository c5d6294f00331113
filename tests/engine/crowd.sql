-- A queue of many jobs (SET darkroom.jobs = 1000000 before): nine of ten ended within a week, in runs of
-- ten steps, the last of them in a burst; one of ten waits. For plans, and for timing the pages:
--     psql -c "SET darkroom.jobs = 1000000" -f tests/engine/crowd.sql -c "VACUUM ANALYZE" URL
SET session_replication_role = replica;
INSERT INTO users (name, email, role)
SELECT 'User ' || n, 'user' || n || '@example.org', 'member' FROM generate_series(1, 20) n;
INSERT INTO users (name, email, role) VALUES ('Ana', 'ana@example.org', 'admin');

CREATE TEMP TABLE made AS
SELECT
    n AS id,
    total,
    n > total * 0.9 AS is_open,
    CASE WHEN n > total * 0.88 THEN now() - interval '2 min' * (total * 0.9 - n) / (total * 0.02)
        ELSE now() - interval '7 days' * (total - n) / total
    END AS created_at,
    (ARRAY['io', 'cpu', 'gpu'])[1 + n % 3] AS lane,
    (ARRAY['counting.ingest', 'counting.draw', 'counting.detect', 'notifying.alert'])
        [1 + (n % 3 + n / 97) % 4] AS task,
    1 + n / 10 % 20 AS owner_id,
    CASE
        WHEN n > total * 0.9 THEN 'todo'
        WHEN n % 47 = 0 THEN 'failed'
        WHEN n % 211 = 0 THEN 'cancelled'
        ELSE 'succeeded'
    END AS status
FROM generate_series(1, current_setting('darkroom.jobs')::int) n
CROSS JOIN (SELECT current_setting('darkroom.jobs')::int AS total) t;
UPDATE made SET created_at = now() - interval '1 h' + interval '55 min' * (id - total * 0.9) / (total * 0.1)
WHERE is_open;

INSERT INTO runs (pipeline, title, owner_id, status, open_steps, created_at, started_at, finished_at)
SELECT
    'counting', 'run ' || min(id), min(owner_id),
    CASE WHEN bool_or(is_open) THEN 'running' WHEN bool_or(status = 'failed') THEN 'failed'
        ELSE 'completed' END,
    count(*) FILTER (WHERE is_open), min(created_at), min(created_at) + interval '1 s',
    CASE WHEN NOT bool_or(is_open) THEN max(created_at) + interval '9 s' END
FROM made GROUP BY (id - 1) / 10 ORDER BY (id - 1) / 10;
CREATE TEMP TABLE numbered AS
SELECT id AS run_id, row_number() OVER (ORDER BY substr(title, 5)::int) - 1 AS place FROM runs;
CREATE UNIQUE INDEX ON numbered (place);
ANALYZE numbered; ANALYZE made;

INSERT INTO procrastinate_jobs
    (id, queue_name, task_name, args, status, attempts, owner_id, scheduled_at, lock, priority)
SELECT
    id, lane, task, jsonb_build_object('photo_id', id % 5000, 'name', 'photo ' || id),
    status::procrastinate_job_status, (NOT is_open)::int, owner_id,
    CASE WHEN is_open AND id % 10 = 3 THEN now() + (id % 997) * interval '1 min' END,
    CASE WHEN is_open AND id % 100 = 7 THEN 'photo ' || id % 50 END,
    0
FROM made ORDER BY id;
SELECT setval('procrastinate_jobs_id_seq', (SELECT max(id) FROM made));
INSERT INTO steps (
    job_id, run_id, owner_id, name, label, max_attempts, share, progress, created_at, finished_at,
    error, waiting_kind, waiting_on
)
SELECT
    m.id, r.run_id, m.owner_id, m.task, 'photo ' || m.id, 3, 0.1, (NOT is_open)::int, m.created_at,
    CASE WHEN NOT is_open THEN m.created_at + (2 + m.id % 7) * interval '1 s' END,
    CASE WHEN status = 'failed' THEN jsonb_build_object('class', 'Permanent', 'message', 'bad') END,
    CASE WHEN is_open AND m.id % 10 = 3 THEN 'retry' END, NULL
FROM made m JOIN numbered r ON r.place = (m.id - 1) / 10
ORDER BY m.id;
INSERT INTO attempts (
    job_id, number, worker_id, worker, started_at, finished_at, outcome, error_class, error_message,
    traceback
)
SELECT
    id, 1, 1001, 'shop:4711:' || lane, created_at + interval '1 s',
    least(now(), created_at + (2 + id % 7) * interval '1 s'),
    CASE status WHEN 'cancelled' THEN 'cancelled' WHEN 'failed' THEN 'failed' ELSE 'succeeded' END,
    CASE WHEN status = 'failed' THEN 'Permanent' END,
    CASE WHEN status = 'failed' THEN 'could not read /srv/photos/' || id || '.jpg' END,
    CASE WHEN status = 'failed' THEN repeat('  File "a.py", line ' || id || E'\n', 20) END
FROM made WHERE NOT is_open AND (status <> 'cancelled' OR id % 2 = 0)
ORDER BY id;
-- Every twentieth needed two attempts.
INSERT INTO attempts (
    job_id, number, worker_id, worker, started_at, finished_at, outcome, error_class, error_message
)
SELECT id, 0, 1001, 'shop:4711:' || lane, created_at, created_at + interval '1 s', 'retried',
    'Transient', 'gemini answered 503 after ' || id || ' s'
FROM made WHERE NOT is_open AND id % 20 = 0
ORDER BY id;
INSERT INTO procrastinate_events (job_id, type, at)
SELECT id, 'deferred'::procrastinate_job_event_type, created_at FROM made
UNION ALL
SELECT id, 'succeeded', created_at + interval '9 s' FROM made WHERE NOT is_open;

-- Sixty run, on a worker that lives.
INSERT INTO procrastinate_workers (id, last_heartbeat) OVERRIDING SYSTEM VALUE
VALUES (1001, now() + interval '30 days');
INSERT INTO worker_lanes (worker_id, name, lane, slots) VALUES (1001, 'shop:4711:io', 'io', 20);
UPDATE procrastinate_jobs SET status = 'doing', worker_id = 1001
WHERE id IN (
    SELECT id FROM made WHERE is_open AND id % 10 <> 3 AND id % 100 <> 7 ORDER BY id LIMIT 60
);
INSERT INTO attempts (job_id, number, worker_id, worker, started_at)
SELECT id, 1, 1001, 'shop:4711:io', now() FROM procrastinate_jobs WHERE status = 'doing';

INSERT INTO audit (at, actor, action, subject, filter, count)
SELECT now() - n * interval '1 min', 'Ana', 'jobs.retry', '', '{"state": ["failed"]}', n
FROM generate_series(1, 2000) n;
SET session_replication_role = origin;
