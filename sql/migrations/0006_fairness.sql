-- Fair fetching and visible waiting: owners on jobs, lanes that can be paused, why a step waits,
-- and the audit of what people did.
-- depends: 0005_counting

-- Whose job it is (0: nobody's), so that a fetch can go round the owners without reading their jobs.
ALTER TABLE procrastinate_jobs ADD COLUMN owner_id integer NOT NULL DEFAULT 0;

-- What may be fetched, in the order it is fetched: per lane and priority, owner by owner.
DROP INDEX jobs_fetchable_idx;
CREATE INDEX jobs_fetchable_idx
    ON procrastinate_jobs (queue_name, (-priority::bigint), owner_id, id)
    WHERE status = 'todo' AND scheduled_at IS NULL AND lock IS NULL;
-- Jobs with a lock, lock by lock: only the first of each may be fetched, as procrastinate has it.
CREATE INDEX jobs_locked_idx
    ON procrastinate_jobs (lock COLLATE "C", (-priority::bigint), id)
    WHERE status = 'todo' AND lock IS NOT NULL;

-- One row a lane; a paused lane is not fetched from.
CREATE TABLE lanes (
    name text PRIMARY KEY,
    paused_at timestamptz,
    paused_by integer REFERENCES users ON DELETE SET NULL,
    pause_reason text,
    -- Whose steps were fetched last: the owners take turns from there.
    last_owner_id integer NOT NULL DEFAULT 0,
    -- Up to where the procrastinate locks were looked through.
    last_lock text NOT NULL DEFAULT ''
) WITH (fillfactor = 50);
INSERT INTO lanes (name) VALUES ('io'), ('cpu'), ('gpu');

ALTER TABLE steps
    ADD COLUMN owner_id integer,
    -- What a step that was put back waits for: 'retry', 'stopped', 'unknown_step', or the kind of
    -- gate that is closed: 'breaker', 'pace', 'limit', 'concurrency', 'budget'.
    ADD COLUMN waiting_kind text,
    -- Which gate, by name ("gemini edit").
    ADD COLUMN waiting_on text;
UPDATE steps s SET owner_id = r.owner_id FROM runs r WHERE r.id = s.run_id;
UPDATE procrastinate_jobs j SET owner_id = s.owner_id
FROM steps s WHERE s.job_id = j.id AND s.owner_id IS NOT NULL;

-- Attempts by the time they ended: rollups, percentiles, clean-up.
CREATE INDEX attempts_finished_idx ON attempts (finished_at) WHERE finished_at IS NOT NULL;

-- What people and cron jobs did, written in the transaction that did it.
CREATE TABLE audit (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    -- Null: nobody who signed in (the CLI on the machine itself, cron).
    user_id integer REFERENCES users ON DELETE SET NULL,
    -- The name shown: a user's, 'cli' or 'cron'.
    actor text NOT NULL,
    -- 'jobs.retry', 'lane.pause', 'breaker.reset' …
    action text NOT NULL,
    -- What it was done to: a lane, a breaker, a job or a run; empty for a filter.
    subject text NOT NULL DEFAULT '',
    -- The filter of a bulk action, as its page or command line gave it.
    filter jsonb NOT NULL DEFAULT '{}',
    -- How many rows it touched.
    count integer NOT NULL DEFAULT 1,
    -- What is needed to take it back; null where it cannot be.
    undo jsonb,
    undone_at timestamptz
);
CREATE INDEX audit_at_idx ON audit (at DESC, id DESC);
