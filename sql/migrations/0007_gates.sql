-- Gates: what a step asks before it calls the outside. Breakers, paces, capacities and budgets, the
-- line of jobs that wait before a closed one, the calls in flight, and the money they cost; and the
-- request limits of the web. Each is asked and told by one call of a function.
-- depends: 0006_fairness

-- A circuit breaker a provider and operation. Without a row it is closed.
CREATE TABLE breakers (
    provider text NOT NULL,
    operation text NOT NULL,
    state text NOT NULL DEFAULT 'closed'
        CHECK (state IN ('closed', 'open', 'half_open', 'isolated')),
    -- Failures in a row.
    failures integer NOT NULL DEFAULT 0,
    -- Calls and failures since window_at, and in the window before it.
    window_at timestamptz,
    calls integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    calls_before integer NOT NULL DEFAULT 0,
    failed_before integer NOT NULL DEFAULT 0,
    opened_at timestamptz,
    open_until timestamptz,
    -- How often it opened since it was last quiet for long: each time it stays open longer.
    opened_times integer NOT NULL DEFAULT 0,
    last_error text,
    last_failure_at timestamptz,
    last_success_at timestamptz,
    -- The one call that tries a half-open breaker. Over when its attempt is closed, or at
    -- probe_until. A call outside of steps has no attempt.
    probe_call_id uuid,
    probe_attempt_id bigint,
    probe_until timestamptz,
    isolated_by text,
    isolated_reason text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (provider, operation)
) WITH (fillfactor = 50);

-- One call at a time, and some time from the end of one to the start of the next.
CREATE TABLE paces (
    name text PRIMARY KEY,
    spacing_seconds double precision NOT NULL,
    -- The call in flight. Over when its permit is gone or its attempt closed.
    holder_call_id uuid,
    holder_attempt_id bigint,
    held_since timestamptz,
    -- When the next call may start, once none is in flight.
    free_at timestamptz NOT NULL,
    -- How long its calls take, as an average that follows.
    typical_seconds double precision NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- How many calls a provider may have in flight, as the settings of its last caller say (null: any
-- number), and how long they take.
CREATE TABLE capacities (
    provider text PRIMARY KEY,
    max_calls integer,
    max_calls_per_owner integer,
    typical_seconds double precision NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- The calls in flight. One counts only while its attempt is open.
CREATE TABLE permits (
    call_id uuid PRIMARY KEY,
    provider text NOT NULL,
    operation text NOT NULL,
    pace text,
    attempt_id bigint NOT NULL,
    job_id bigint NOT NULL,
    run_id uuid,
    owner_id integer,
    -- The money kept for it in the budgets, until it is charged or over.
    reserved numeric(14, 6) NOT NULL DEFAULT 0,
    taken_at timestamptz NOT NULL
);

-- Who waits before which gate, and in what order: by priority, then the owners in turn.
CREATE TABLE gate_waits (
    job_id bigint NOT NULL,
    -- 'breaker', 'pace' or 'concurrency', as in steps.waiting_kind.
    kind text NOT NULL,
    -- As in steps.waiting_on: 'gemini edit', 'variants', 'gemini', 'gemini owner 7'.
    gate text NOT NULL,
    -- Empty for a pace, which several providers may share.
    provider text NOT NULL DEFAULT '',
    owner_id integer NOT NULL,
    priority integer NOT NULL,
    turn bigint NOT NULL,
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    -- When it was told to come.
    slot_at timestamptz NOT NULL,
    -- Another gate holds it back until then; its place here is kept.
    not_before timestamptz,
    since timestamptz NOT NULL,
    PRIMARY KEY (job_id, kind, gate)
) WITH (fillfactor = 70);
CREATE INDEX gate_waits_line_idx
    ON gate_waits (kind, gate, (-priority::bigint), turn, position);
CREATE INDEX gate_waits_owner_idx
    ON gate_waits (kind, gate, owner_id, (-priority::bigint), turn);

-- Money that was spent. Rows are only added; a guess is taken back by a row of its own.
CREATE TABLE charges (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- One call is charged once for each part: 1, 2 … what the provider took; 0 what it presumably
    -- took from a call of which no end was heard; -1 that guess taken back.
    call_id uuid NOT NULL,
    part integer NOT NULL DEFAULT 1,
    provider text NOT NULL,
    operation text NOT NULL,
    owner_id integer,
    run_id uuid,
    job_id bigint,
    attempt_id bigint,
    amount numeric(14, 6) NOT NULL,
    currency text NOT NULL DEFAULT 'USD' CHECK (currency = 'USD'),
    UNIQUE (call_id, part)
);
CREATE INDEX charges_run_idx ON charges (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX charges_at_idx ON charges (at);

-- The sums of the charges a day (UTC), provider and owner (0: nobody).
CREATE TABLE spending (
    day date NOT NULL,
    provider text NOT NULL,
    owner_id integer NOT NULL,
    amount numeric(14, 6) NOT NULL,
    PRIMARY KEY (day, provider, owner_id)
) WITH (fillfactor = 50);

-- The calls a client made to an endpoint of ours within its period, oldest first.
CREATE TABLE limits_used (
    client text NOT NULL,
    endpoint text NOT NULL,
    quota integer NOT NULL,
    period_seconds double precision NOT NULL,
    hits timestamptz[] NOT NULL DEFAULT '{}',
    refused bigint NOT NULL DEFAULT 0,
    last_refused_at timestamptz,
    -- After this the row says nothing any more.
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (client, endpoint)
) WITH (fillfactor = 50);

-- Why a call may not start: the gate, when to ask again, which sentence says so, and what fills it.
CREATE TYPE darkroom_refusal AS (
    kind text, gate text, until timestamptz, reason text, facts jsonb
);
