-- Variants: how a person wants their photos treated, the photos, and what was made of them.
-- depends: 0019_ledger

-- What a variant may be told to be, beside the kinds that are built in. Without an owner: everybody's.
CREATE TABLE presets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id integer REFERENCES users ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 100),
    prompt text NOT NULL CHECK (prompt <> ''),
    -- {"strength": 0.4, "seed": 42}: the temperature, and the seed of every picture made by it.
    nano_params jsonb NOT NULL DEFAULT '{"strength": 0.4, "seed": 42}'
        CHECK (jsonb_typeof(nano_params) = 'object'),
    -- What must not change: [{"kind": "colours"}, …].
    smart_anchors jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(smart_anchors) = 'array'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (owner_id, name)
);
INSERT INTO presets (name, prompt, nano_params, smart_anchors) VALUES
(
    'Estudio Fotográfico',
    'Make it a studio photograph: a seamless light grey background, soft light from the upper left, '
    'a gentle shadow below, the subject in full focus.',
    '{"strength": 0.4, "seed": 4711}',
    '[{"kind": "identity"}, {"kind": "text"}]'
),
(
    'Boda',
    'Make it a wedding photograph: warm soft evening light, creamy background blur, gentle skin '
    'tones, bright airy whites.',
    '{"strength": 0.5, "seed": 1206}',
    '[{"kind": "identity"}, {"kind": "composition"}]'
),
(
    'Fondo blanco',
    'Cut the subject out and put it before a pure white background with a soft shadow below it, as '
    'in a shop''s catalog.',
    '{"strength": 0.2, "seed": 77}',
    '[{"kind": "identity"}, {"kind": "text"}, {"kind": "colours"}]'
);

-- What a person set once: the slots of a batch, and how they hear of it.
CREATE TABLE user_upload_workflows (
    user_id uuid PRIMARY KEY REFERENCES users (uuid) ON DELETE CASCADE,
    batch_config jsonb NOT NULL
        DEFAULT '[{"type": "AUTO", "variant": "FORENSIC"}, {"type": "AUTO", "variant": "CREATIVE"}]'
        CHECK (jsonb_typeof(batch_config) = 'array'),
    is_async_enabled boolean NOT NULL DEFAULT true,
    max_previews integer NOT NULL DEFAULT 3 CHECK (max_previews BETWEEN 1 AND 8),
    notify_by_email boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- A photo that somebody took.
CREATE TABLE uploads (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id integer NOT NULL REFERENCES users,
    -- The run that makes, or made last, variants of it.
    run_id uuid REFERENCES runs ON DELETE SET NULL,
    asset_id uuid NOT NULL REFERENCES assets,
    thumbnail_id uuid REFERENCES assets,
    filename text NOT NULL DEFAULT '',
    tier text NOT NULL,
    -- What a model saw in it, once.
    analysis jsonb,
    analysed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX uploads_owner_idx ON uploads (owner_id, created_at DESC, id DESC);
CREATE INDEX uploads_run_idx ON uploads (run_id);
CREATE INDEX uploads_asset_idx ON uploads (asset_id);
CREATE INDEX uploads_thumbnail_idx ON uploads (thumbnail_id);

-- One variant of an upload: what was asked for, and what came.
CREATE TABLE generations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    upload_id uuid NOT NULL REFERENCES uploads ON DELETE CASCADE,
    run_id uuid REFERENCES runs ON DELETE SET NULL,
    slot integer NOT NULL,
    type text NOT NULL CHECK (type IN ('AUTO', 'PRESET')),
    variant text NOT NULL,
    -- The preset as it was: it may be changed or deleted since.
    preset jsonb,
    provider text,
    smart_anchors jsonb NOT NULL DEFAULT '[]',
    temperature double precision NOT NULL,
    seed integer NOT NULL,
    prompt text,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'generating', 'completed', 'failed')),
    error text,
    -- Answers that were bought and found wanting; the next try buys another.
    rejected integer NOT NULL DEFAULT 0,
    -- Provider and model that made it.
    made_by text,
    model text,
    cost numeric(14, 6) NOT NULL DEFAULT 0,
    is_sandbox boolean NOT NULL DEFAULT false,
    -- How the anchors held: [{"kind": "colours", "kept": true, "measure": 3.1, …}].
    checks jsonb NOT NULL DEFAULT '[]',
    -- As it came, never shown before it is unlocked; and the reduced, marked one that is.
    asset_id uuid REFERENCES assets,
    preview_id uuid REFERENCES assets,
    final_id uuid REFERENCES assets,
    unlocked_at timestamptz,
    discarded_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    CHECK (status <> 'completed' OR discarded_at IS NOT NULL OR asset_id IS NOT NULL)
);
CREATE INDEX generations_upload_idx ON generations (upload_id, slot);
CREATE INDEX generations_run_idx ON generations (run_id);
CREATE INDEX generations_asset_idx ON generations (asset_id);
CREATE INDEX generations_preview_idx ON generations (preview_id);
CREATE INDEX generations_final_idx ON generations (final_id);
CREATE INDEX generations_discarded_idx ON generations (discarded_at) WHERE discarded_at IS NOT NULL;
-- One variant of an upload is unlocked, whoever asks at the same time.
CREATE UNIQUE INDEX generations_unlocked_idx ON generations (upload_id) WHERE unlocked_at IS NOT NULL;

-- One try to unlock a variant. What it costs is reserved in the ledger, by its run.
CREATE TABLE unlocks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    upload_id uuid NOT NULL REFERENCES uploads ON DELETE CASCADE,
    generation_id uuid NOT NULL REFERENCES generations ON DELETE CASCADE,
    run_id uuid REFERENCES runs ON DELETE SET NULL,
    with_upscale boolean NOT NULL,
    -- Tokens, by what they are for: {"unlock": 5, "upscale": 3}.
    prices jsonb NOT NULL,
    -- Between the steps: the picture whose texts are mended, and what was mended.
    mended_id uuid REFERENCES assets,
    report jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    -- The run failed or was cancelled.
    ended_at timestamptz
);
CREATE INDEX unlocks_generation_idx ON unlocks (generation_id);
CREATE INDEX unlocks_run_idx ON unlocks (run_id);
CREATE INDEX unlocks_mended_idx ON unlocks (mended_id);
CREATE UNIQUE INDEX unlocks_open_idx ON unlocks (upload_id)
    WHERE completed_at IS NULL AND ended_at IS NULL;

-- A variant follows its step where no code of the pipeline runs: given up, cancelled, discarded.
-- When a photo was not even looked at, all the run's variants come to nothing.
CREATE FUNCTION darkroom_follow_variant_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    made uuid;
    last attempts%ROWTYPE;
BEGIN
    SELECT (args ->> 'generation_id')::uuid INTO made FROM procrastinate_jobs WHERE id = NEW.job_id;
    SELECT * INTO last FROM attempts WHERE job_id = NEW.job_id ORDER BY id DESC LIMIT 1;
    UPDATE generations
    SET status = 'failed',
        error = coalesce(NEW.error ->> 'message', last.error_message, 'Cancelled.'),
        completed_at = NEW.finished_at
    WHERE run_id = NEW.run_id AND status IN ('pending', 'generating')
        AND (id = made OR (made IS NULL AND (NEW.error IS NOT NULL OR EXISTS (
            SELECT FROM procrastinate_jobs WHERE id = NEW.job_id AND status IN ('cancelled', 'aborted')
        ))));
    RETURN NULL;
END;
$$;
CREATE TRIGGER variant_step_followed AFTER UPDATE OF finished_at ON steps
    FOR EACH ROW WHEN (
        NEW.name IN ('variants.generate', 'variants.analyse') AND NEW.finished_at IS NOT NULL
    )
    EXECUTE FUNCTION darkroom_follow_variant_step();

-- An unlock whose run comes to nothing gives back what it reserved, in the same transaction.
CREATE FUNCTION darkroom_end_unlock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE unlocks SET ended_at = now()
    WHERE run_id = NEW.id AND completed_at IS NULL AND ended_at IS NULL;
    IF FOUND THEN
        PERFORM darkroom_release_run_v1(NEW.id);
    END IF;
    RETURN NULL;
END;
$$;
CREATE TRIGGER unlock_ended AFTER UPDATE OF status ON runs
    FOR EACH ROW WHEN (
        NEW.pipeline = 'variants' AND NEW.status IN ('failed', 'cancelled')
        AND OLD.status IS DISTINCT FROM NEW.status
    )
    EXECUTE FUNCTION darkroom_end_unlock();
