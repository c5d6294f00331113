-- Runs, steps, attempts and fan-ins: what turns procrastinate's jobs into an engine.
-- A step is one procrastinate job; its lease is its open attempt row.
-- depends: 0003_assets

CREATE TABLE runs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    pipeline text NOT NULL,
    title text NOT NULL,
    owner_id integer NOT NULL REFERENCES users,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    priority integer NOT NULL DEFAULT 0,
    -- The sum of share * progress over the run's steps.
    progress double precision NOT NULL DEFAULT 0,
    -- What is happening now: a sentence with {places}, and what fills them.
    note text NOT NULL DEFAULT '',
    note_values jsonb NOT NULL DEFAULT '{}',
    params jsonb NOT NULL DEFAULT '{}',
    result jsonb,
    error jsonb,
    cost numeric(14, 6) NOT NULL DEFAULT 0,
    -- Steps that have not ended; the run ends when this reaches zero.
    open_steps integer NOT NULL DEFAULT 0 CHECK (open_steps >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    cancel_requested_at timestamptz,
    finished_at timestamptz
);
CREATE INDEX runs_owner_idx ON runs (owner_id, created_at DESC, id);
CREATE INDEX runs_created_idx ON runs (created_at DESC, id);
CREATE INDEX runs_open_idx ON runs (created_at) WHERE status IN ('pending', 'running');

-- N children, one callback: `pending` counts down in each child's own transaction.
CREATE TABLE fan_ins (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    pending integer NOT NULL CHECK (pending >= 0),
    children integer NOT NULL CHECK (children > 0),
    failed integer NOT NULL DEFAULT 0 CHECK (failed BETWEEN 0 AND children),
    callback text NOT NULL,
    callback_lane text NOT NULL,
    callback_args jsonb NOT NULL DEFAULT '{}',
    callback_share double precision NOT NULL DEFAULT 0,
    callback_max_attempts integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    fired_at timestamptz
);
CREATE INDEX fan_ins_run_idx ON fan_ins (run_id);

CREATE TABLE steps (
    job_id bigint PRIMARY KEY REFERENCES procrastinate_jobs ON DELETE CASCADE,
    run_id uuid REFERENCES runs ON DELETE CASCADE,
    -- The fan-in this step is a child of.
    fan_in_id bigint REFERENCES fan_ins ON DELETE CASCADE,
    -- The fan-in this step is the callback of.
    callback_of bigint REFERENCES fan_ins ON DELETE CASCADE,
    name text NOT NULL,
    label text NOT NULL DEFAULT '',
    max_attempts integer NOT NULL,
    -- The part of the run's progress that this step makes (0 to 1).
    share double precision NOT NULL DEFAULT 0,
    progress double precision NOT NULL DEFAULT 0,
    note text NOT NULL DEFAULT '',
    note_values jsonb NOT NULL DEFAULT '{}',
    -- Why a step that was put back waits, in words.
    waiting_for text,
    result jsonb,
    error jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX steps_run_idx ON steps (run_id, job_id);
CREATE INDEX steps_fan_in_idx ON steps (fan_in_id) WHERE fan_in_id IS NOT NULL;

CREATE TABLE attempts (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    job_id bigint NOT NULL REFERENCES procrastinate_jobs ON DELETE CASCADE,
    number integer NOT NULL,
    worker_id bigint NOT NULL,
    worker text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome text CHECK (outcome IN
        ('succeeded', 'failed', 'retried', 'given_back', 'lost', 'cancelled')),
    error_class text,
    error_message text,
    traceback text,
    CHECK ((finished_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX attempts_job_idx ON attempts (job_id, id);
-- The fence: at most one open attempt a job, and whoever holds it may settle the job.
CREATE UNIQUE INDEX attempts_open_idx ON attempts (job_id) WHERE finished_at IS NULL;

-- What may be fetched, in the order it is fetched: due, unlocked, per lane.
CREATE INDEX jobs_fetchable_idx ON procrastinate_jobs (queue_name, priority DESC, id)
    WHERE status = 'todo' AND scheduled_at IS NULL AND lock IS NULL;
-- What becomes due, for the promoter.
CREATE INDEX jobs_scheduled_idx ON procrastinate_jobs (scheduled_at)
    WHERE status = 'todo' AND scheduled_at IS NOT NULL;
-- Deleting a worker's row must not scan all jobs it ever ran.
CREATE INDEX jobs_worker_idx ON procrastinate_jobs (worker_id) WHERE worker_id IS NOT NULL;

-- What a worker process is, beside procrastinate's bare heartbeat row (one row a lane).
CREATE TABLE worker_lanes (
    worker_id bigint PRIMARY KEY,
    name text NOT NULL,
    lane text NOT NULL,
    slots integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now()
);

-- A nudge for whoever watches; the row is the truth.
CREATE FUNCTION darkroom_notify_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('darkroom_runs', json_build_object('run', NEW.id)::text);
    RETURN NEW;
END;
$$;
CREATE TRIGGER runs_notify_insert AFTER INSERT ON runs
    FOR EACH ROW EXECUTE FUNCTION darkroom_notify_run();
CREATE TRIGGER runs_notify_update AFTER UPDATE ON runs
    FOR EACH ROW WHEN (
        OLD.status IS DISTINCT FROM NEW.status
        OR OLD.progress IS DISTINCT FROM NEW.progress
        OR OLD.note IS DISTINCT FROM NEW.note
        OR OLD.note_values IS DISTINCT FROM NEW.note_values
        OR OLD.cancel_requested_at IS DISTINCT FROM NEW.cancel_requested_at
    )
    EXECUTE FUNCTION darkroom_notify_run();

-- The open attempts of a worker, for rescue.
CREATE INDEX attempts_worker_open_idx ON attempts (worker_id) WHERE finished_at IS NULL;
