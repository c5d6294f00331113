-- Signals to the outside: webhooks that hear of runs, and the keys that make a request safe to repeat.
-- depends: 0006_fairness

-- Where events of runs are sent: an owner's own runs, or everybody's.
CREATE TABLE webhooks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    -- Of everybody's runs, for as long as the owner is an administrator.
    all_runs boolean NOT NULL DEFAULT false,
    url text NOT NULL,
    events text[] NOT NULL CHECK (
        events <> '{}'
        AND events <@ ARRAY['run.created', 'run.started', 'run.succeeded', 'run.failed', 'run.cancelled']
    ),
    -- What deliveries are signed with; shown once.
    secret text NOT NULL,
    -- False while its owner has paused it, and after it was disabled.
    active boolean NOT NULL DEFAULT true,
    disabled_at timestamptz,
    disabled_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (disabled_at IS NULL OR NOT active)
);
CREATE INDEX webhooks_owner_idx ON webhooks (owner_id, created_at);
-- What every change of a run's status looks at: nothing, where nobody listens.
CREATE INDEX webhooks_active_idx ON webhooks (owner_id) WHERE active;

-- One event of a run for one webhook. Its id is the message's id, the same in every try.
CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    webhook_id uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    event text NOT NULL,
    -- The run as it was when it happened.
    run jsonb NOT NULL,
    -- When it happened.
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The step that sends it. No reference: finished jobs are deleted earlier than deliveries.
    job_id bigint,
    -- Null until it is over; without it the job says how things stand.
    outcome text CHECK (outcome IN ('delivered', 'skipped')),
    -- The last try, and how many there were.
    tries integer NOT NULL DEFAULT 0,
    tried_at timestamptz,
    seconds double precision,
    response_status integer,
    response_body text,
    error text
);
CREATE INDEX webhook_deliveries_list_idx ON webhook_deliveries (webhook_id, created_at DESC, id);
CREATE INDEX webhook_deliveries_run_idx ON webhook_deliveries (run_id);
CREATE INDEX webhook_deliveries_age_idx ON webhook_deliveries (created_at);

-- Tell the webhooks in the very transaction that changed the run's status.
CREATE FUNCTION darkroom_signal_run() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    happened text := CASE NEW.status
        WHEN 'pending' THEN 'run.created'
        WHEN 'running' THEN 'run.started'
        WHEN 'completed' THEN 'run.succeeded'
        WHEN 'failed' THEN 'run.failed'
        WHEN 'cancelled' THEN 'run.cancelled'
    END;
    webhook webhooks;
BEGIN
    IF NOT EXISTS (SELECT FROM webhooks WHERE active) THEN
        RETURN NULL;
    END IF;
    FOR webhook IN
        SELECT w.*
        FROM webhooks w
        JOIN users u ON u.id = w.owner_id
        WHERE w.active
            AND happened = ANY(w.events)
            AND u.is_active
            AND (w.owner_id = NEW.owner_id OR w.all_runs AND u.role = 'admin')
        ORDER BY w.id
        -- Whoever deletes a webhook now waits for us, and we for them: no reference is left dangling.
        FOR KEY SHARE OF w
    LOOP
        PERFORM darkroom_signal_v1(webhook, NEW, happened);
    END LOOP;
    RETURN NULL;
END;
$$;
CREATE TRIGGER runs_signal_insert AFTER INSERT ON runs
    FOR EACH ROW EXECUTE FUNCTION darkroom_signal_run();
CREATE TRIGGER runs_signal_update AFTER UPDATE ON runs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION darkroom_signal_run();

-- The keys that clients give to their requests, so that a repeated one does not start a second run.
-- A row without a run is a claim: its request is being worked on, or was cut off.
CREATE TABLE idempotency_keys (
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    endpoint text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    claim uuid NOT NULL,
    claimed_until timestamptz NOT NULL,
    -- Written in the transaction that made the run.
    run_id uuid REFERENCES runs ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, endpoint, key)
);
CREATE INDEX idempotency_keys_expiry_idx ON idempotency_keys (expires_at);
CREATE INDEX idempotency_keys_run_idx ON idempotency_keys (run_id) WHERE run_id IS NOT NULL;
