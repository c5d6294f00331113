-- Stock: batches, and movements that are only ever added to.
-- depends: 0012_places

-- The last number given out per location, product and day, for batch codes.
CREATE TABLE batch_numbers (
    storage_location_id integer NOT NULL REFERENCES storage_locations,
    product_id integer NOT NULL REFERENCES products,
    day date NOT NULL,
    last_number integer NOT NULL CHECK (last_number > 0),
    PRIMARY KEY (storage_location_id, product_id, day)
);

CREATE TABLE stock_batches (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    batch_code text NOT NULL UNIQUE,
    storage_location_id integer NOT NULL REFERENCES storage_locations,
    product_id integer NOT NULL REFERENCES products,
    product_state_id integer NOT NULL REFERENCES product_states,
    container_type_id integer REFERENCES container_types,
    -- The session that counted it; null for batches entered by hand.
    processing_session_id integer REFERENCES photo_processing_sessions ON DELETE SET NULL,
    -- Of a counted batch; what it began with is their sum.
    total_detected integer CHECK (total_detected >= 0),
    total_estimated integer CHECK (total_estimated >= 0),
    quantity_initial integer NOT NULL CHECK (quantity_initial >= 0),
    -- The sum of its movements; only they change it.
    quantity_current integer NOT NULL DEFAULT 0 CHECK (quantity_current >= 0),
    quality_score double precision CHECK (quality_score BETWEEN 0 AND 1),
    notes text NOT NULL DEFAULT '',
    custom_attributes jsonb NOT NULL DEFAULT '{}',
    created_by_user_id integer NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (processing_session_id, storage_location_id, product_id),
    CHECK ((total_detected IS NULL) = (total_estimated IS NULL)),
    CHECK (quantity_initial = total_detected + total_estimated)
);
CREATE INDEX stock_batches_place_idx
    ON stock_batches (storage_location_id, product_id, product_state_id);
-- What is there now, beside all that was.
CREATE INDEX stock_batches_there_idx
    ON stock_batches (storage_location_id, product_id, product_state_id)
    INCLUDE (quantity_current) WHERE quantity_current > 0;
CREATE INDEX stock_batches_product_idx ON stock_batches (product_id);
CREATE INDEX stock_batches_created_idx ON stock_batches (created_at DESC, id DESC);

-- `quantity` is signed: what comes is positive, what goes negative. A transfer is two movements
-- of one transfer_id. The first movement of a batch is what it began with.
CREATE TABLE stock_movements (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    movement_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    batch_id integer NOT NULL REFERENCES stock_batches,
    movement_type text NOT NULL
        CHECK (movement_type IN ('foto', 'manual', 'adjustment', 'transfer', 'loss')),
    source_type text NOT NULL CHECK (source_type IN ('ia', 'manual')),
    quantity integer NOT NULL,
    is_inbound boolean NOT NULL GENERATED ALWAYS AS (quantity >= 0) STORED,
    is_first boolean NOT NULL DEFAULT false,
    processing_session_id integer REFERENCES photo_processing_sessions ON DELETE SET NULL,
    transfer_id uuid,
    reason text NOT NULL DEFAULT '',
    user_id integer NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (quantity <> 0 OR is_first),
    CHECK (movement_type <> 'loss' OR quantity < 0),
    CHECK (is_first OR movement_type NOT IN ('foto', 'manual')),
    CHECK (NOT is_first OR movement_type IN ('foto', 'manual', 'transfer')),
    CHECK (movement_type <> 'foto' OR source_type = 'ia'),
    CHECK (movement_type IN ('foto', 'adjustment') OR source_type = 'manual'),
    CHECK ((movement_type = 'transfer') = (transfer_id IS NOT NULL))
);
CREATE UNIQUE INDEX stock_movements_first_idx ON stock_movements (batch_id) WHERE is_first;
CREATE INDEX stock_movements_batch_idx ON stock_movements (batch_id, id);
CREATE INDEX stock_movements_session_idx
    ON stock_movements (processing_session_id) WHERE processing_session_id IS NOT NULL;
CREATE INDEX stock_movements_transfer_idx
    ON stock_movements (transfer_id) WHERE transfer_id IS NOT NULL;
CREATE INDEX stock_movements_created_idx ON stock_movements (created_at DESC, id DESC);

CREATE FUNCTION darkroom_apply_movements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stock_batches b
    SET quantity_current = b.quantity_current + moved.quantity, updated_at = now()
    FROM (SELECT batch_id, sum(quantity)::integer AS quantity FROM added GROUP BY batch_id) moved
    WHERE b.id = moved.batch_id;
    RETURN NULL;
END;
$$;
CREATE TRIGGER stock_movements_applied AFTER INSERT ON stock_movements
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION darkroom_apply_movements();

CREATE FUNCTION darkroom_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: stock is only ever added to.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Write a movement that sets it right.';
END;
$$;
CREATE TRIGGER stock_movements_kept BEFORE DELETE ON stock_movements
    FOR EACH ROW EXECUTE FUNCTION darkroom_refuse_change();
-- Deeper down it is a foreign key that lets go of a session.
CREATE TRIGGER stock_movements_unchanged BEFORE UPDATE ON stock_movements
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION darkroom_refuse_change();
CREATE TRIGGER stock_batches_unchanged
    BEFORE UPDATE OF batch_code, storage_location_id, product_id, processing_session_id,
        total_detected, total_estimated, quantity_initial, quantity_current, created_at
    ON stock_batches
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION darkroom_refuse_change();

CREATE FUNCTION darkroom_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM stock_movements) THEN
        RAISE EXCEPTION 'TRUNCATE of stock_movements is refused: stock is only ever added to.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END;
$$;
CREATE TRIGGER stock_movements_not_truncated BEFORE TRUNCATE ON stock_movements
    FOR EACH STATEMENT EXECUTE FUNCTION darkroom_refuse_truncate();

CREATE FUNCTION darkroom_refuse_full_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A batch begins empty; its first movement fills it.'
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END;
$$;
CREATE TRIGGER stock_batches_begin_empty BEFORE INSERT ON stock_batches
    FOR EACH ROW WHEN (NEW.quantity_current <> 0) EXECUTE FUNCTION darkroom_refuse_full_batch();

CREATE FUNCTION darkroom_check_first_movement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    begun record;
BEGIN
    SELECT is_first, quantity INTO begun
    FROM stock_movements WHERE batch_id = NEW.id ORDER BY id LIMIT 1;
    IF begun.is_first IS NOT TRUE OR begun.quantity <> NEW.quantity_initial THEN
        RAISE EXCEPTION 'The first movement of batch % must be one of % plants.',
            NEW.batch_code, NEW.quantity_initial
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END;
$$;
CREATE CONSTRAINT TRIGGER stock_batches_begin_with_first AFTER INSERT ON stock_batches
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION darkroom_check_first_movement();

CREATE VIEW current_stock AS
SELECT
    storage_location_id,
    product_id,
    product_state_id,
    sum(quantity_current) AS quantity,
    count(*) AS batches
FROM stock_batches
WHERE quantity_current > 0
GROUP BY storage_location_id, product_id, product_state_id;
