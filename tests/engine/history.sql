-- A queue with a past: every dashboard has something to say. For tests and for looking at the pages.
INSERT INTO users (name, email, role) VALUES
    ('Ana', 'ana@example.com', 'admin'), ('Bo', 'bo@example.com', 'member');

-- Gates in every state.
INSERT INTO breakers (
    provider, operation, state, failures, calls, failed, opened_at, open_until, opened_times,
    last_error, last_failure_at, isolated_by, isolated_reason
) VALUES
    ('gemini', 'edit', 'open', 5, 30, 9, now() - interval '2 min', now() + interval '3 min', 2,
        'The provider answered 503.', now() - interval '2 min', NULL, NULL),
    ('storage', 'put', 'half_open', 3, 12, 3, now(), now(), 1, 'Connection refused', now(), NULL, NULL),
    ('veo', 'render', 'isolated', 0, 0, 0, now(), NULL, 0, NULL, NULL, 'Ana', 'Too expensive'),
    ('fal', 'upscale', 'closed', 0, 100, 1, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO paces (name, spacing_seconds, free_at, typical_seconds) VALUES
    ('variants', 1.5, now() + interval '1 s', 4.2), ('catalog', 2, '-infinity', 0);
INSERT INTO capacities (provider, max_calls, max_calls_per_owner, typical_seconds)
VALUES ('gemini', 8, 4, 5.5);
INSERT INTO limits_used (
    client, endpoint, quota, period_seconds, hits, refused, last_refused_at, expires_at
) VALUES
    ('token:7', 'generate-image', 10, 60,
        ARRAY(SELECT now() - n * interval '1 s' FROM generate_series(10, 1, -1) n), 3, now(),
        now() + interval '1 min'),
    ('192.0.2.7', 'face-swap', 5, 60, ARRAY[now()], 0, NULL, now() + interval '1 min');
INSERT INTO spending (day, provider, owner_id, amount)
SELECT (now() AT TIME ZONE 'UTC')::date - n, 'gemini', n % 2, 0.0391 * n + 0.02
FROM generate_series(0, 20) n;

INSERT INTO crons (
    name, purpose, lane, max_attempts, schedule, next_at, last_started_at, last_finished_at,
    last_outcome, last_result, missed, last_missed_at, enabled, last_error
) VALUES
    ('upkeep.roll_up', 'Count.', 'io', 3, '* * * * *', now() + interval '30 s', now() - interval '9 s',
        now() - interval '8 s', 'succeeded', '{"attempts": 120}', 0, NULL, true, NULL),
    ('upkeep.sweep', 'Sweep.', 'io', 3, '20 3 * * *', now() - interval '5 min',
        now() - interval '25 h', now() - interval '24 h', 'failed', NULL, 2, now(), true, 'Full.'),
    ('upkeep.vacuum', 'Look after.', 'io', 3, 'off', NULL, NULL, NULL, NULL, NULL, 0, NULL, true, NULL);

UPDATE lanes SET paused_at = now(), paused_by = 1, pause_reason = 'New driver' WHERE name = 'gpu';
INSERT INTO audit (at, actor, user_id, action, subject, filter, count)
SELECT now() - n * interval '1 h', 'Ana', 1, 'jobs.retry', '', '{"state": ["failed"]}', n
FROM generate_series(1, 60) n;

-- Six open runs with steps that wait and run, one with a callback that waits for its children.
INSERT INTO runs (pipeline, title, owner_id, status, open_steps, created_at)
SELECT 'counting', 'run ' || n, 1 + n % 2, 'running', 4, now() - n * interval '1 min'
FROM generate_series(1, 6) n;
INSERT INTO procrastinate_jobs (queue_name, task_name, status, owner_id, scheduled_at, lock)
SELECT
    (ARRAY['io', 'cpu', 'gpu'])[1 + n % 3], 'counting.detect', 'todo', 1 + n % 2,
    CASE WHEN n % 4 = 0 THEN now() + n * interval '10 s' END,
    CASE WHEN n % 12 = 7 THEN 'one at a time' END
FROM generate_series(1, 24) n;
INSERT INTO steps (
    job_id, run_id, owner_id, name, label, max_attempts, waiting_kind, waiting_on, created_at
)
SELECT
    j.id, r.id, j.owner_id, j.task_name, 'photo ' || j.id, 3,
    CASE WHEN j.scheduled_at IS NOT NULL THEN (ARRAY['breaker', 'retry', 'pace'])[1 + j.id % 3] END,
    CASE WHEN j.scheduled_at IS NOT NULL AND j.id % 3 <> 1 THEN 'gemini edit' END,
    now() - j.id * interval '20 s'
FROM procrastinate_jobs j
JOIN (SELECT id, row_number() OVER (ORDER BY created_at) AS place FROM runs) r
    ON r.place = 1 + j.id % 6;
INSERT INTO fan_ins (run_id, pending, children, callback, callback_lane, callback_max_attempts)
SELECT id, 2, 3, 'counting.aggregate', 'cpu', 3 FROM runs ORDER BY created_at LIMIT 1;

INSERT INTO procrastinate_workers (id, last_heartbeat) OVERRIDING SYSTEM VALUE VALUES
    (1001, now() + interval '1 day'), (1002, now() + interval '1 day'),
    (1003, now() - interval '2 min');
INSERT INTO worker_lanes (worker_id, name, lane, slots) VALUES
    (1001, 'shop:4711:io', 'io', 4), (1002, 'shop:4711:gpu', 'gpu', 1), (1003, 'old:17:cpu', 'cpu', 2);
UPDATE procrastinate_jobs SET status = 'doing', worker_id = 1001 WHERE id IN (3, 6, 9, 15);
INSERT INTO attempts (job_id, number, worker_id, worker, started_at)
SELECT id, 1, 1001, 'shop:4711:io', now() - id * interval '7 s'
FROM procrastinate_jobs WHERE status = 'doing';
UPDATE steps
SET progress = 0.4, note = 'preparing photo {photo} of {photos}',
    note_values = '{"photo": 1, "photos": 3}'
WHERE job_id IN (3, 6, 9, 15);
INSERT INTO permits (call_id, provider, operation, attempt_id, job_id, owner_id, reserved, taken_at)
SELECT gen_random_uuid(), 'gemini', 'edit', id, job_id, 1, 0.04, now() FROM attempts;

-- An hour of steps that ended.
INSERT INTO procrastinate_jobs (queue_name, task_name, status, owner_id)
SELECT
    (ARRAY['io', 'cpu', 'gpu'])[1 + n % 3],
    (ARRAY['counting.ingest', 'counting.draw', 'counting.detect'])[1 + n % 3],
    CASE WHEN n % 37 = 0 THEN 'failed' ELSE 'succeeded' END::procrastinate_job_status, 1
FROM generate_series(1, 300) n;
INSERT INTO steps (job_id, owner_id, name, label, max_attempts, created_at)
SELECT id, 1, task_name, 'photo', 3, now() - interval '1 h' + id % 300 * interval '12 s'
FROM procrastinate_jobs WHERE status IN ('succeeded', 'failed');
INSERT INTO attempts (
    job_id, number, worker_id, worker, started_at, finished_at, outcome, error_class, error_message
)
SELECT
    s.job_id, 1, 1001, 'shop:4711:io', s.created_at + s.job_id % 5 * interval '0.4 s',
    least(now(), s.created_at + (3 + s.job_id % 7) * interval '1 s'),
    CASE WHEN j.status = 'failed' THEN 'failed' WHEN s.job_id % 19 = 0 THEN 'retried'
        ELSE 'succeeded' END,
    CASE WHEN j.status = 'failed' THEN 'Permanent' WHEN s.job_id % 19 = 0 THEN 'Transient' END,
    CASE WHEN j.status = 'failed' THEN 'could not read /srv/photos/' || s.job_id || '.jpg'
        WHEN s.job_id % 19 = 0 THEN 'gemini answered 503 after ' || s.job_id || '.5 s' END
FROM steps s
JOIN procrastinate_jobs j ON j.id = s.job_id
WHERE j.status IN ('succeeded', 'failed');
INSERT INTO photo_processing_sessions (
    run_id, user_id, status, total_detected, total_estimated
)
SELECT id, 1, 'completed', 12, 3 FROM runs LIMIT 2;

-- What was asked of outside services.
INSERT INTO provider_calls (
    at, provider, operation, model, outcome, error, latency_seconds, tokens_in, cost, is_sandbox
)
SELECT
    now() - n * interval '1 min', 'gemini', 'edit', 'gemini-2.5-flash-image',
    CASE WHEN n % 7 = 0 THEN 'transient' ELSE 'succeeded' END,
    CASE WHEN n % 7 = 0 THEN 'Gemini answered 503: overloaded' END,
    2 + n % 5, 300, CASE WHEN n % 7 = 0 THEN 0 ELSE 0.04 END, true
FROM generate_series(1, 40) n;
INSERT INTO provider_models (provider, model, is_there, note)
VALUES
    ('gemini', 'gemini-2.5-flash-image', true, ''),
    ('openai', 'dall-e-3', false, 'openai does not list the model dall-e-3 any more.');

-- What the models run on.
INSERT INTO runtimes (id, name, device, facts, models, stale_seconds)
VALUES (
    'a0000000-0000-4000-8000-000000000001', 'shop:4711', 'cuda GPU-1',
    '{"kind": "cuda", "title": "Tesla T4", "budget": 13958643712,
      "memory": {"total": 16106127360, "free": 9663676416}, "packages": {}, "weights": {}}',
    '[{"name": "plants plants.pt", "size": 78643200, "in_use": true}]', 30
);
INSERT INTO devices (name, holder_id, held_since)
VALUES ('cuda GPU-1', 'a0000000-0000-4000-8000-000000000001', now() - interval '2 min');
