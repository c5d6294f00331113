-- Devices that models run on: which worker processes are at them, and whose turn it is.
-- depends: 0022_media

-- A process that runs models, as it told last; one that is silent for too long is gone.
CREATE TABLE runtimes (
    id uuid PRIMARY KEY,
    -- Its host and number.
    name text NOT NULL,
    device text NOT NULL,
    -- What the device is and has left, what is installed, which weights are there.
    facts jsonb NOT NULL CHECK (jsonb_typeof(facts) = 'object'),
    -- What is loaded, the model used longest ago first: name, size in bytes, whether it is in use.
    models jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(models) = 'array'),
    stale_seconds double precision NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    beat_at timestamptz NOT NULL DEFAULT now()
);

-- The leases of devices that one process at a time may use. A silent process has none.
CREATE TABLE devices (
    name text PRIMARY KEY,
    holder_id uuid,
    held_since timestamptz,
    -- The attempts that use it now; those that are closed do not count.
    attempts bigint[] NOT NULL DEFAULT '{}',
    -- The first process that was refused since, and until when it is kept for that one alone.
    wanted_by uuid,
    wanted_since timestamptz,
    kept_until timestamptz
);
