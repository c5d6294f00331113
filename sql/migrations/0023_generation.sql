-- Generated pictures, kept by what was asked for, so that nobody buys the same one twice.
-- depends: 0022_media

CREATE TABLE kept_pictures (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- MD5 of the normalised parameters, which lie beside it.
    key text NOT NULL UNIQUE CHECK (key ~ '^[0-9a-f]{32}$'),
    asked jsonb NOT NULL CHECK (jsonb_typeof(asked) = 'object'),
    -- The attempt that makes it, or was the last to try.
    attempt_id bigint NOT NULL,
    -- Answers that were bought and found wanting; the next try buys another.
    rejected integer NOT NULL DEFAULT 0,
    -- Both once it is made.
    asset_id uuid REFERENCES assets,
    thumbnail_id uuid REFERENCES assets,
    size_bytes bigint NOT NULL DEFAULT 0,
    -- Who made it: {"provider": …, "model": …, "is_sandbox": …}.
    made_by jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(made_by) = 'object'),
    hits bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((asset_id IS NULL) = (thumbnail_id IS NULL))
);
CREATE INDEX kept_pictures_used_idx ON kept_pictures (used_at);
CREATE INDEX kept_pictures_asset_idx ON kept_pictures (asset_id);
CREATE INDEX kept_pictures_thumbnail_idx ON kept_pictures (thumbnail_id);

-- What was counted of pictures that were let go of: figures outlive them.
CREATE TABLE gone_picture_counts (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    pictures bigint NOT NULL DEFAULT 0,
    hits bigint NOT NULL DEFAULT 0
);
INSERT INTO gone_picture_counts DEFAULT VALUES;

CREATE FUNCTION darkroom_count_gone_pictures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gone_picture_counts c
    SET pictures = c.pictures + g.pictures, hits = c.hits + g.hits
    FROM (SELECT count(asset_id) AS pictures, coalesce(sum(hits), 0) AS hits FROM gone) g
    WHERE g.pictures > 0;
    RETURN NULL;
END;
$$;
CREATE TRIGGER gone_pictures_counted AFTER DELETE ON kept_pictures
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION darkroom_count_gone_pictures();
