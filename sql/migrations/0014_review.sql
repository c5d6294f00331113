-- Review: what people corrected on a count, kept beside what the models said.
-- depends: 0013_stock

ALTER TABLE containers
    -- Boxes that the detector half believed in, for estimating again after a correction:
    -- [[x1, y1, x2, y2], …] in the photo's pixels.
    ADD COLUMN faint jsonb,
    -- What a person says stands in it, and who; null until somebody did.
    ADD COLUMN total_reviewed integer CHECK (total_reviewed >= 0),
    ADD COLUMN reviewed_by integer REFERENCES users,
    ADD COLUMN reviewed_at timestamptz;

ALTER TABLE detections
    -- 'person' where somebody added or moved the plant.
    ADD COLUMN source text NOT NULL DEFAULT 'model' CHECK (source IN ('model', 'person'));

-- One thing that a person changed. Drafts until applied_at; undone ones stay as history.
CREATE TABLE corrections (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    session_id integer NOT NULL REFERENCES photo_processing_sessions ON DELETE CASCADE,
    image_id uuid NOT NULL REFERENCES s3_images ON DELETE CASCADE,
    container_id bigint REFERENCES containers ON DELETE CASCADE,
    action text NOT NULL CHECK (action IN ('add', 'remove', 'move', 'total', 'accept')),
    -- The plant as it was {center_x, center_y, width_px, height_px, confidence, class_name}, and
    -- as it is now; of a total {total}.
    before jsonb,
    after jsonb,
    user_id integer NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    applied_at timestamptz,
    undone_at timestamptz
);
CREATE INDEX corrections_session_idx ON corrections (session_id, id);
CREATE INDEX corrections_image_idx ON corrections (image_id);

-- How far the computed confidence was off, fitted from reviewed containers; the newest counts.
CREATE TABLE confidence_scales (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    error_scale double precision NOT NULL CHECK (error_scale > 0),
    containers integer NOT NULL,
    fitted_at timestamptz NOT NULL DEFAULT now()
);
