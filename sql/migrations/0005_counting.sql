-- Counting: photo sessions, their images, containers, detections and estimations.
-- Tables and columns bear the names of the system this replaces.
-- depends: 0004_engine

CREATE TABLE photo_processing_sessions (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    session_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    run_id uuid NOT NULL UNIQUE REFERENCES runs ON DELETE CASCADE,
    user_id integer NOT NULL REFERENCES users,
    original_image_id uuid,
    processed_image_id uuid,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    total_detected integer NOT NULL DEFAULT 0,
    total_estimated integer NOT NULL DEFAULT 0,
    total_empty_containers integer NOT NULL DEFAULT 0,
    avg_confidence double precision,
    -- The unbiased total and its 80 % interval.
    total_unbiased double precision,
    interval_low double precision,
    interval_high double precision,
    category_counts jsonb NOT NULL DEFAULT '{}',
    needs_review boolean NOT NULL DEFAULT false,
    error_message text,
    created_at timestamptz NOT NULL DEFAULT now(),
    counted_at timestamptz,
    completed_at timestamptz
);
CREATE INDEX photo_processing_sessions_user_idx
    ON photo_processing_sessions (user_id, created_at DESC);

CREATE TABLE s3_images (
    image_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id integer NOT NULL REFERENCES photo_processing_sessions ON DELETE CASCADE,
    position integer NOT NULL,
    filename text NOT NULL,
    s3_bucket text NOT NULL,
    s3_key_original text NOT NULL,
    s3_key_thumbnail text,
    s3_key_processed text,
    original_asset_id uuid NOT NULL REFERENCES assets,
    thumbnail_asset_id uuid REFERENCES assets,
    processed_asset_id uuid REFERENCES assets,
    content_type text NOT NULL,
    file_size_bytes bigint NOT NULL,
    -- Pixels as shown, that is with the EXIF orientation applied.
    width integer NOT NULL,
    height integer NOT NULL,
    gps_latitude double precision,
    gps_longitude double precision,
    upload_source text NOT NULL DEFAULT 'web',
    uploaded_by_user_id integer NOT NULL REFERENCES users,
    status text NOT NULL DEFAULT 'uploaded'
        CHECK (status IN ('uploaded', 'counted', 'drawn', 'failed')),
    total_detected integer NOT NULL DEFAULT 0,
    total_estimated integer NOT NULL DEFAULT 0,
    error_message text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (session_id, position)
);

CREATE TABLE containers (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    session_id integer NOT NULL REFERENCES photo_processing_sessions ON DELETE CASCADE,
    image_id uuid NOT NULL REFERENCES s3_images ON DELETE CASCADE,
    number integer NOT NULL,
    container_type text NOT NULL CHECK (container_type IN ('plug', 'box', 'segment')),
    -- False where no container was found and the whole frame stands in for one.
    is_segmented boolean NOT NULL,
    confidence double precision,
    -- GeoJSON in the photo's pixels.
    polygon jsonb NOT NULL,
    total_detected integer NOT NULL,
    total_estimated integer NOT NULL,
    total_unbiased double precision NOT NULL,
    total_buffered double precision NOT NULL,
    standard_error double precision NOT NULL,
    interval_low double precision NOT NULL,
    interval_high double precision NOT NULL,
    count_confidence double precision NOT NULL,
    vegetation_fraction double precision NOT NULL,
    is_empty_container boolean NOT NULL,
    needs_review boolean NOT NULL,
    review_reason text,
    UNIQUE (image_id, number)
);
CREATE INDEX containers_session_idx ON containers (session_id);

CREATE TABLE detections (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    session_id integer NOT NULL REFERENCES photo_processing_sessions ON DELETE CASCADE,
    image_id uuid NOT NULL REFERENCES s3_images ON DELETE CASCADE,
    container_id bigint NOT NULL REFERENCES containers ON DELETE CASCADE,
    center_x real NOT NULL,
    center_y real NOT NULL,
    width_px real NOT NULL,
    height_px real NOT NULL,
    confidence real NOT NULL,
    class_name text NOT NULL,
    is_empty_container boolean NOT NULL DEFAULT false
);
CREATE INDEX detections_session_idx ON detections (session_id);
CREATE INDEX detections_image_idx ON detections (image_id);
CREATE INDEX detections_container_idx ON detections (container_id);

CREATE TABLE estimations (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    session_id integer NOT NULL REFERENCES photo_processing_sessions ON DELETE CASCADE,
    image_id uuid NOT NULL REFERENCES s3_images ON DELETE CASCADE,
    container_id bigint NOT NULL REFERENCES containers ON DELETE CASCADE,
    band_number integer NOT NULL CHECK (band_number BETWEEN 1 AND 4),
    band_y_start integer NOT NULL,
    band_y_end integer NOT NULL,
    estimated_count integer NOT NULL CHECK (estimated_count >= 0),
    estimated_unbiased double precision NOT NULL CHECK (estimated_unbiased >= 0),
    area_pixels integer NOT NULL,
    avg_plant_area_px double precision NOT NULL,
    calculation_method text NOT NULL,
    estimation_confidence double precision NOT NULL,
    -- GeoJSON MultiPolygon in the photo's pixels.
    vegetation_polygon jsonb,
    area_before_suppression double precision NOT NULL,
    area_after_suppression double precision NOT NULL
);
CREATE INDEX estimations_session_idx ON estimations (session_id);
CREATE INDEX estimations_image_idx ON estimations (image_id);
CREATE INDEX estimations_container_idx ON estimations (container_id);

-- A session follows its run, whoever moves it: worker, web page, CLI or psql.
CREATE FUNCTION darkroom_follow_counting_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE photo_processing_sessions
    SET status = CASE NEW.status
            WHEN 'pending' THEN 'pending'
            WHEN 'running' THEN 'processing'
            WHEN 'completed' THEN 'completed'
            ELSE 'failed'
        END,
        error_message = CASE NEW.status
            WHEN 'failed' THEN coalesce(NEW.error ->> 'message', 'The run failed.')
            WHEN 'cancelled' THEN 'The run was cancelled.'
        END,
        completed_at = NEW.finished_at
    WHERE run_id = NEW.id;
    RETURN NEW;
END;
$$;
CREATE TRIGGER counting_run_followed AFTER UPDATE OF status ON runs
    FOR EACH ROW WHEN (NEW.pipeline = 'counting' AND OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION darkroom_follow_counting_run();
