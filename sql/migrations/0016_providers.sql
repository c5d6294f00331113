-- Outside services: every call to one, the answers that were paid for, and the models they have.
-- depends: 0012_places

-- One row a call, written when it is over. Nothing secret is ever in it.
CREATE TABLE provider_calls (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    provider text NOT NULL,
    operation text NOT NULL,
    model text,
    owner_id integer,
    run_id uuid,
    job_id bigint,
    attempt_id bigint,
    -- What was bought, see provider_answers; null for calls that buy nothing.
    answer_key text,
    http_status integer,
    -- 'gone': the model is no longer there. 'refused': safety, and nobody's fault but the prompt's.
    outcome text NOT NULL
        CHECK (outcome IN ('succeeded', 'transient', 'permanent', 'invalid', 'refused', 'gone')),
    error text,
    latency_seconds double precision NOT NULL,
    tokens_in integer,
    tokens_out integer,
    cost numeric(14, 6) NOT NULL DEFAULT 0,
    is_sandbox boolean NOT NULL
);
CREATE INDEX provider_calls_at_idx ON provider_calls (at DESC, id DESC);
CREATE INDEX provider_calls_run_idx ON provider_calls (run_id) WHERE run_id IS NOT NULL;

-- Answers that were paid for, kept before anything is done with them: a step that is tried again
-- finds its answer here and does not buy it twice.
CREATE TABLE provider_answers (
    answer_key text PRIMARY KEY,
    provider text NOT NULL,
    operation text NOT NULL,
    model text NOT NULL,
    -- In the store: one line of facts (JSON), then the body of the answer as it came.
    storage_key text NOT NULL,
    size_bytes bigint NOT NULL,
    facts jsonb NOT NULL DEFAULT '{}',
    is_sandbox boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX provider_answers_created_idx ON provider_answers (created_at);

-- Whether the models that the settings name exist, as last asked.
CREATE TABLE provider_models (
    provider text NOT NULL,
    model text NOT NULL,
    is_there boolean NOT NULL,
    note text NOT NULL DEFAULT '',
    checked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, model)
);
