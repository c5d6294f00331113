-- Publishing: pictures made of a prompt, on their way into the posts of WordPress sites.
-- depends: 0020_variants

-- The sites beside the one of the settings, and who we are there.
CREATE TABLE wordpress_sites (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 100),
    base_url text NOT NULL,
    username text NOT NULL,
    -- What the secret is: a password that the JWT plugin takes, or an application password.
    way text NOT NULL CHECK (way IN ('jwt', 'application')),
    -- Sealed; emptied when the site is removed.
    secret text NOT NULL,
    -- The type of post that is meant when a request names none.
    endpoint text NOT NULL CHECK (endpoint <> ''),
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz
);
CREATE UNIQUE INDEX wordpress_sites_name_idx ON wordpress_sites (name) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX wordpress_sites_default_idx ON wordpress_sites (is_default)
    WHERE is_default AND removed_at IS NULL;

-- Which fields the posts of a type have. Without a site: the site of the settings.
CREATE TABLE post_types (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    site_id integer REFERENCES wordpress_sites ON DELETE CASCADE,
    endpoint text NOT NULL CHECK (endpoint <> ''),
    -- Each holds one picture; several pictures go to several of them, in this order.
    fields text[] NOT NULL CHECK (cardinality(fields) > 0),
    -- Holds any number of pictures.
    gallery text,
    -- The field of a request that becomes the title of a new post.
    title_from text NOT NULL DEFAULT 'tema',
    -- Where the other fields of a request go, if not to the custom field of the same name.
    texts jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(texts) = 'object'),
    -- What new posts are born as.
    status text NOT NULL DEFAULT 'publish' CHECK (status IN ('publish', 'draft', 'pending', 'private')),
    UNIQUE NULLS NOT DISTINCT (site_id, endpoint)
);
INSERT INTO post_types (endpoint, fields, gallery) VALUES
    ('planessemanales', '{foto,foto_2,foto_3}', 'galeria');

-- A post that somebody had written.
CREATE TABLE activities (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id integer NOT NULL REFERENCES users,
    run_id uuid REFERENCES runs ON DELETE SET NULL,
    -- What the caller knows it by ("run_id" in requests and answers).
    client_run_id text NOT NULL,
    site_id integer REFERENCES wordpress_sites,
    endpoint text NOT NULL,
    fields jsonb NOT NULL CHECK (jsonb_typeof(fields) = 'object'),
    wp_post_id bigint,
    post_url text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX activities_run_idx ON activities (run_id);
CREATE INDEX activities_owner_idx ON activities (owner_id, created_at DESC);

-- One request for pictures of a post.
CREATE TABLE publications (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id integer NOT NULL REFERENCES users,
    -- The run that publishes it, or did last.
    run_id uuid REFERENCES runs ON DELETE SET NULL,
    client_run_id text NOT NULL,
    site_id integer REFERENCES wordpress_sites,
    wp_post_id bigint NOT NULL CHECK (wp_post_id > 0),
    endpoint text NOT NULL,
    field text NOT NULL,
    prompt text NOT NULL CHECK (prompt <> ''),
    n integer NOT NULL CHECK (n >= 1),
    -- An edit: of which picture, and whether the new one joins it in its gallery or replaces it.
    source_id uuid,
    joins boolean NOT NULL DEFAULT false,
    post_url text,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- The same request again is this one, and buys nothing.
CREATE UNIQUE INDEX publications_identity_idx ON publications (
    owner_id, client_run_id, wp_post_id, site_id, endpoint, field, md5(prompt), n, source_id, joins
) NULLS NOT DISTINCT;
CREATE INDEX publications_post_idx ON publications (wp_post_id, client_run_id);
CREATE INDEX publications_run_idx ON publications (run_id);

-- One picture of a publication, and how far it has come.
CREATE TABLE publication_pictures (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    publication_id uuid NOT NULL REFERENCES publications ON DELETE CASCADE,
    -- From 1.
    index integer NOT NULL,
    field text NOT NULL,
    in_gallery boolean NOT NULL DEFAULT false,
    -- Set once the picture is generated.
    asset_id uuid REFERENCES assets,
    provider text,
    model text,
    cost numeric(14, 6) NOT NULL DEFAULT 0,
    is_sandbox boolean NOT NULL DEFAULT false,
    -- Answers that were bought and found wanting; the next try buys another.
    rejected integer NOT NULL DEFAULT 0,
    wp_status text NOT NULL DEFAULT 'pending'
        CHECK (wp_status IN ('pending', 'uploading', 'completed', 'failed')),
    error text,
    -- Where the media library has it, and where the bucket has it.
    media_id bigint,
    media_url text,
    copy_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    UNIQUE (publication_id, index),
    CHECK (wp_status <> 'completed' OR (asset_id IS NOT NULL AND media_id IS NOT NULL))
);
CREATE INDEX publication_pictures_asset_idx ON publication_pictures (asset_id);
ALTER TABLE publications
    ADD FOREIGN KEY (source_id) REFERENCES publication_pictures ON DELETE SET NULL;
CREATE INDEX publications_source_idx ON publications (source_id);

-- A picture whose own step fails for good has failed; its siblings go on.
CREATE FUNCTION darkroom_follow_picture_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE publication_pictures
    SET wp_status = 'failed', error = NEW.error ->> 'message'
    WHERE wp_status IN ('pending', 'uploading') AND id = (
        SELECT (args ->> 'picture_id')::uuid FROM procrastinate_jobs WHERE id = NEW.job_id
    );
    RETURN NULL;
END;
$$;
CREATE TRIGGER picture_step_followed AFTER UPDATE OF finished_at ON steps
    FOR EACH ROW WHEN (
        NEW.name IN ('publishing.generate', 'publishing.upload')
        AND NEW.finished_at IS NOT NULL AND NEW.error IS NOT NULL
    )
    EXECUTE FUNCTION darkroom_follow_picture_step();

-- When a run comes to nothing, so do the pictures that it was still busy with.
CREATE FUNCTION darkroom_end_publication() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE publication_pictures
    SET wp_status = 'failed', error = coalesce(NEW.error ->> 'message', 'Cancelled.')
    FROM publications
    WHERE publications.id = publication_id AND publications.run_id = NEW.id
        AND wp_status IN ('pending', 'uploading');
    RETURN NULL;
END;
$$;
CREATE TRIGGER publication_ended AFTER UPDATE OF status ON runs
    FOR EACH ROW WHEN (
        NEW.pipeline = 'publishing' AND NEW.status IN ('failed', 'cancelled')
        AND OLD.status IS DISTINCT FROM NEW.status
    )
    EXECUTE FUNCTION darkroom_end_publication();
