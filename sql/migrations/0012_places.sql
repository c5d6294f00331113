-- Where plants stand and what they are: warehouses down to bins, products, what is expected where.
-- Tables and columns bear the names of the system this replaces.
-- depends: 0005_counting 0011_signals

-- Whoever acts without being a person: the counting itself. Nobody signs in as one of these.
ALTER TABLE users
    ADD COLUMN is_system boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT users_system_check
        CHECK (NOT is_system OR NOT is_active AND password_hash IS NULL);
INSERT INTO users (name, role, is_active, is_system) VALUES ('ML', 'member', false, true);

CREATE TABLE warehouses (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9][A-Z0-9_.-]{0,49}$'),
    name text NOT NULL CHECK (name <> ''),
    -- GeoJSON Polygon or MultiPolygon, longitude and latitude (WGS 84).
    geojson_coordinates jsonb,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE storage_areas (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    warehouse_id integer NOT NULL REFERENCES warehouses,
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9][A-Z0-9_.-]{0,49}$'),
    name text NOT NULL CHECK (name <> ''),
    geojson_coordinates jsonb,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX storage_areas_warehouse_idx ON storage_areas (warehouse_id);

CREATE TABLE storage_locations (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    storage_area_id integer NOT NULL REFERENCES storage_areas,
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9][A-Z0-9_.-]{0,49}$'),
    name text NOT NULL CHECK (name <> ''),
    geojson_coordinates jsonb,
    -- GeoJSON Point: the middle of the polygon, or all that is known of a location without one.
    geospatial_point jsonb,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX storage_locations_area_idx ON storage_locations (storage_area_id);

-- A container_type is of one of the three kinds that the model tells apart.
CREATE TABLE container_types (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$'),
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('plug', 'box', 'segment')),
    capacity_min integer NOT NULL CHECK (capacity_min > 0),
    capacity_max integer NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (capacity_max >= capacity_min)
);
INSERT INTO container_types (code, name, kind, capacity_min, capacity_max) VALUES
    ('plug', 'Plug', 'plug', 25, 30),
    ('box', 'Box', 'box', 50, 100),
    ('segment', 'Segment', 'segment', 100, 300);

CREATE TABLE storage_bins (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    storage_location_id integer NOT NULL REFERENCES storage_locations,
    container_type_id integer REFERENCES container_types,
    code text NOT NULL CHECK (code ~ '^[A-Z0-9][A-Z0-9_.-]{0,49}$'),
    name text NOT NULL CHECK (name <> ''),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (storage_location_id, code)
);
CREATE INDEX storage_bins_container_type_idx ON storage_bins (container_type_id);

CREATE TABLE products (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9][A-Z0-9_.-]{0,49}$'),
    name text NOT NULL CHECK (name <> ''),
    scientific_name text,
    -- Range of the leaves' colour in OpenCV's HSV (H 0-179, S and V 0-255); null: the setting's.
    hsv_low integer[] CHECK (cardinality(hsv_low) = 3),
    hsv_high integer[] CHECK (cardinality(hsv_high) = 3),
    -- Excess green of known leaves and floor, the reference of the threshold between them.
    colour_reference jsonb,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((hsv_low IS NULL) = (hsv_high IS NULL))
);

CREATE TABLE product_states (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9][A-Z0-9_.-]{0,49}$'),
    name text NOT NULL CHECK (name <> ''),
    sort_order integer NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX product_states_default_idx ON product_states (is_default) WHERE is_default;
INSERT INTO product_states (code, name, sort_order, is_default) VALUES
    ('SEED', 'Seed', 10, true),
    ('GERMINATING', 'Germinating', 20, false),
    ('SEEDLING', 'Seedling', 30, false),
    ('JUVENILE', 'Juvenile', 40, false),
    ('ADULT', 'Adult', 50, false),
    ('FLOWERING', 'Flowering', 60, false),
    ('DORMANT', 'Dormant', 70, false),
    ('DYING', 'Dying', 80, false);

-- What is expected at a location. Sessions copy what they used, so it may change at any time.
CREATE TABLE storage_location_config (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    storage_location_id integer NOT NULL UNIQUE REFERENCES storage_locations ON DELETE CASCADE,
    expected_product_id integer NOT NULL REFERENCES products,
    expected_product_state_id integer NOT NULL REFERENCES product_states,
    expected_container_type_id integer REFERENCES container_types,
    ml_user_id integer NOT NULL REFERENCES users,
    -- A session shows all of the product that stands there: it takes the place of earlier counts.
    counts_whole_location boolean NOT NULL DEFAULT false,
    notes text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX storage_location_config_product_idx ON storage_location_config (expected_product_id);

CREATE TABLE density_parameters (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    product_id integer NOT NULL REFERENCES products ON DELETE CASCADE,
    container_type_id integer REFERENCES container_types,
    avg_area_per_plant_cm2 double precision CHECK (avg_area_per_plant_cm2 > 0),
    plants_per_m2 double precision CHECK (plants_per_m2 > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (product_id, container_type_id),
    CHECK (coalesce(avg_area_per_plant_cm2, plants_per_m2) IS NOT NULL)
);
CREATE INDEX density_parameters_container_type_idx ON density_parameters (container_type_id);

ALTER TABLE photo_processing_sessions
    ADD COLUMN storage_location_id integer REFERENCES storage_locations,
    -- How the location was found.
    ADD COLUMN location_source text
        CHECK (location_source IN ('given', 'gps', 'nearest', 'chosen')),
    -- Metres between the photo and a location that was only the nearest.
    ADD COLUMN location_distance_m double precision,
    -- Somebody decided that it is counted without a location, and so without stock.
    ADD COLUMN without_location boolean NOT NULL DEFAULT false,
    ADD COLUMN storage_location_config_id integer
        REFERENCES storage_location_config ON DELETE SET NULL,
    ADD COLUMN expected_product_id integer REFERENCES products,
    ADD COLUMN expected_product_state_id integer REFERENCES product_states,
    ADD COLUMN expected_container_type_id integer REFERENCES container_types,
    ADD COLUMN ml_user_id integer REFERENCES users,
    -- Settings in place of the installation's, of a session counted again with others.
    ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN rerun_of_id integer REFERENCES photo_processing_sessions ON DELETE SET NULL,
    -- Why a person has to look, as words with their values; empty unless needs_review.
    ADD COLUMN review_reasons jsonb NOT NULL DEFAULT '[]',
    DROP CONSTRAINT photo_processing_sessions_status_check,
    ADD CONSTRAINT photo_processing_sessions_status_check
        CHECK (status IN ('pending', 'processing', 'needs_location', 'completed', 'failed'));
CREATE INDEX photo_processing_sessions_location_idx
    ON photo_processing_sessions (storage_location_id, created_at DESC);
CREATE INDEX photo_processing_sessions_rerun_idx
    ON photo_processing_sessions (rerun_of_id) WHERE rerun_of_id IS NOT NULL;
CREATE INDEX photo_processing_sessions_unlocated_idx
    ON photo_processing_sessions (created_at DESC) WHERE status = 'needs_location';

ALTER TABLE s3_images
    ADD COLUMN captured_at timestamp,
    ADD COLUMN review_reasons jsonb NOT NULL DEFAULT '[]';

-- What was counted before kept its reasons with the containers.
UPDATE photo_processing_sessions s
SET review_reasons = found.reasons
FROM (
    SELECT
        c.session_id,
        jsonb_agg(
            jsonb_build_object(
                'photo', i.position,
                'container', c.number,
                'code', 'container',
                'text', coalesce(c.review_reason, 'the count is not sure'),
                'values', '{}'::jsonb
            )
            ORDER BY i.position, c.number
        ) AS reasons
    FROM containers c
    JOIN s3_images i ON i.image_id = c.image_id
    WHERE c.needs_review
    GROUP BY c.session_id
) found
WHERE found.session_id = s.id;

-- A file of places or products that somebody sent, and what became of its rows.
CREATE TABLE place_imports (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id integer NOT NULL REFERENCES users,
    filename text NOT NULL,
    kind text NOT NULL,
    content bytea NOT NULL,
    -- Of the dry run, and after imported_at of the import itself.
    report jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    imported_at timestamptz
);
CREATE INDEX place_imports_user_idx ON place_imports (user_id);

-- What the model's classes stand for in a session, and how many plants of each.
CREATE TABLE classifications (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    session_id integer NOT NULL REFERENCES photo_processing_sessions ON DELETE CASCADE,
    class_name text NOT NULL,
    container_type text NOT NULL CHECK (container_type IN ('plug', 'box', 'segment')),
    product_id integer REFERENCES products,
    product_state_id integer REFERENCES product_states,
    container_type_id integer REFERENCES container_types,
    product_conf double precision,
    total_detected integer NOT NULL,
    total_estimated integer NOT NULL,
    model_version text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (session_id, class_name, container_type)
);

-- Two photos of a session that show the same plants.
CREATE TABLE photo_overlaps (
    session_id integer NOT NULL REFERENCES photo_processing_sessions ON DELETE CASCADE,
    image_id uuid NOT NULL REFERENCES s3_images ON DELETE CASCADE,
    other_image_id uuid NOT NULL REFERENCES s3_images ON DELETE CASCADE,
    -- Share of the first photo that the other shows, too.
    share double precision NOT NULL CHECK (share > 0 AND share <= 1),
    PRIMARY KEY (image_id, other_image_id)
);
CREATE INDEX photo_overlaps_session_idx ON photo_overlaps (session_id);
CREATE INDEX photo_overlaps_other_idx ON photo_overlaps (other_image_id);

-- Sessions whose photos were compared with one another. Rows of their own: whoever compares has no
-- need of the sessions' rows, which the end of their runs takes.
CREATE TABLE photo_comparisons (
    session_id integer PRIMARY KEY REFERENCES photo_processing_sessions ON DELETE CASCADE,
    -- How many could be opened.
    photos integer NOT NULL,
    compared_at timestamptz NOT NULL DEFAULT now()
);
