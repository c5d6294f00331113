-- Review: what people corrected on a count, kept beside what the models said.
-- depends: 0013_stock

ALTER TABLE photo_processing_sessions
    -- What people say stands on its photos, once they said it of any container.
    ADD COLUMN total_reviewed integer CHECK (total_reviewed >= 0),
    -- The newest run that applies corrections.
    ADD COLUMN review_run_id uuid REFERENCES runs ON DELETE SET NULL;
CREATE INDEX photo_processing_sessions_review_run_idx
    ON photo_processing_sessions (review_run_id) WHERE review_run_id IS NOT NULL;
CREATE INDEX photo_processing_sessions_needs_review_idx
    ON photo_processing_sessions (needs_review, created_at, id);

ALTER TABLE s3_images
    ADD COLUMN total_reviewed integer CHECK (total_reviewed >= 0),
    -- Somebody accepted the photo as a whole: every plant on it is marked or counted.
    ADD COLUMN reviewed_by integer REFERENCES users,
    ADD COLUMN reviewed_at timestamptz;
CREATE INDEX s3_images_reviewed_idx ON s3_images (reviewed_at) WHERE reviewed_at IS NOT NULL;

ALTER TABLE containers
    -- Boxes that the detector half believed in, for estimating again after a correction:
    -- [[x1, y1, x2, y2, score], …] in the photo's pixels.
    ADD COLUMN faint jsonb,
    -- The unbiased total as it was first computed, and its standard error before any scale.
    ADD COLUMN model_unbiased double precision,
    ADD COLUMN model_error double precision,
    -- What a person says stands in it, and who; null until somebody did.
    ADD COLUMN total_reviewed integer CHECK (total_reviewed >= 0),
    ADD COLUMN reviewed_by integer REFERENCES users,
    ADD COLUMN reviewed_at timestamptz;
CREATE INDEX containers_reviewed_idx ON containers (reviewed_at) WHERE reviewed_at IS NOT NULL;

ALTER TABLE detections
    -- 'person' where somebody added or moved the plant.
    ADD COLUMN source text NOT NULL DEFAULT 'model' CHECK (source IN ('model', 'person'));

-- One thing that a person changed. Drafts until applied_at; undone ones stay as history.
CREATE TABLE corrections (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    -- The sender's own name of it: what is sent twice is one correction.
    key uuid NOT NULL UNIQUE,
    session_id integer NOT NULL REFERENCES photo_processing_sessions ON DELETE CASCADE,
    image_id uuid NOT NULL REFERENCES s3_images ON DELETE CASCADE,
    -- Null of 'accept': the whole photo; of a plant: until it is applied.
    container_id bigint REFERENCES containers ON DELETE SET NULL,
    action text NOT NULL CHECK (action IN ('add', 'remove', 'move', 'total', 'accept')),
    -- The plant as it was {plant, center_x, center_y, width_px, height_px, confidence,
    -- class_name}, and as it is now; of a total {total}. `plant` is a detection's id, or the key
    -- of the correction that added it.
    before jsonb,
    after jsonb,
    user_id integer NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    applied_at timestamptz,
    undone_at timestamptz,
    CHECK (applied_at IS NULL OR undone_at IS NULL)
);
CREATE INDEX corrections_session_idx ON corrections (session_id, id);
CREATE INDEX corrections_image_idx ON corrections (image_id, id);
CREATE INDEX corrections_container_idx
    ON corrections (container_id) WHERE container_id IS NOT NULL;
CREATE INDEX corrections_open_idx
    ON corrections (session_id) WHERE applied_at IS NULL AND undone_at IS NULL;

-- How far the computed confidence was off, fitted from reviewed containers; the newest counts.
CREATE TABLE confidence_scales (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    error_scale double precision NOT NULL CHECK (error_scale > 0),
    containers integer NOT NULL,
    fitted_at timestamptz NOT NULL DEFAULT now()
);
