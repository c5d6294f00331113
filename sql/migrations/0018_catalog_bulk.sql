-- The catalog in bulk: verdicts, a pause, a budget, imports, and prompts that are tried out first.
-- depends: 0017_catalog

-- The one row is always there. Without a template of its own the general one is in the code.
ALTER TABLE catalog_settings
    ALTER COLUMN prompt_template DROP NOT NULL,
    -- What edits may cost a day (UTC), in US dollars; null: as much as the providers' budgets allow.
    ADD COLUMN budget_per_day numeric(14, 6) CHECK (budget_per_day >= 0);
INSERT INTO catalog_settings DEFAULT VALUES ON CONFLICT DO NOTHING;

-- An edit that tries a prompt out: its picture is looked at, and never becomes the article's.
ALTER TABLE catalog_edits
    ADD COLUMN is_preview boolean NOT NULL DEFAULT false,
    -- The template that is tried out; null: the one of the article's category.
    ADD COLUMN prompt_template text;
ALTER TABLE imagen_versiones ADD COLUMN is_preview boolean NOT NULL DEFAULT false;
DROP INDEX catalog_edits_open_idx;
CREATE UNIQUE INDEX catalog_edits_open_idx
    ON catalog_edits (articulo_id) WHERE estado IN ('pending', 'processing') AND NOT is_preview;
CREATE INDEX catalog_edits_articulo_idx ON catalog_edits (articulo_id, id);
CREATE INDEX catalog_edits_version_idx ON catalog_edits (version_procesada_id);

CREATE OR REPLACE VIEW image_processing_queue AS
SELECT id, articulo_id, estado::varchar(20) AS estado, prioridad, intentos, max_intentos,
    imagen_url_original, imagen_url_procesada,
    articulo_nombre::varchar(255) AS articulo_nombre, articulo_descripcion,
    articulo_unidad::varchar(50) AS articulo_unidad,
    error_message, error_stack, created_at, started_at, completed_at, updated_at
FROM catalog_edits
WHERE NOT is_preview;

-- A step that found the catalog paused puts itself off for long. Should it go on again by the time
-- that this is written, the step is due at once: whoever resumes sees the step, or is seen here.
CREATE FUNCTION darkroom_release_paused_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    since timestamptz;
BEGIN
    SELECT paused_at INTO since FROM catalog_settings FOR SHARE;
    IF since IS NULL THEN
        UPDATE procrastinate_jobs SET scheduled_at = NULL
        WHERE id = NEW.job_id AND status = 'todo';
        PERFORM darkroom_wake_lane_v1(queue_name) FROM procrastinate_jobs WHERE id = NEW.job_id;
    END IF;
    RETURN NULL;
END;
$$;
CREATE TRIGGER catalog_step_released AFTER UPDATE OF waiting_kind ON steps
    FOR EACH ROW WHEN (NEW.name = 'catalog.edit' AND NEW.waiting_kind = 'paused')
    EXECUTE FUNCTION darkroom_release_paused_step();

-- A step that an operator has tried again brings its edit back, unless its article has another one.
CREATE FUNCTION darkroom_reopen_catalog_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_edits e
    SET estado = 'pending', intentos = 0, error_message = NULL, error_stack = NULL,
        started_at = NULL, completed_at = NULL, updated_at = now()
    WHERE e.job_id = NEW.job_id AND e.estado = 'failed'
        AND (e.is_preview OR NOT EXISTS (
            SELECT FROM catalog_edits open
            WHERE open.articulo_id = e.articulo_id AND open.estado IN ('pending', 'processing')
                AND NOT open.is_preview
        ));
    RETURN NULL;
END;
$$;
CREATE TRIGGER catalog_step_reopened AFTER UPDATE OF finished_at ON steps
    FOR EACH ROW WHEN (
        NEW.name = 'catalog.edit' AND OLD.finished_at IS NOT NULL AND NEW.finished_at IS NULL
    )
    EXECUTE FUNCTION darkroom_reopen_catalog_step();
