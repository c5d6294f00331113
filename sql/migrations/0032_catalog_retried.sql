-- A failed edit that an operator tries again edits what its article shows now: if that changed,
-- nothing that was bought before is of use.
-- depends: 0031_edited_numbers

CREATE OR REPLACE FUNCTION darkroom_reopen_catalog_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_edits e
    SET estado = 'pending', intentos = 0, error_message = NULL, error_stack = NULL,
        started_at = NULL, completed_at = NULL, updated_at = now(),
        version_original_id = a.imagen_version_id, imagen_url_original = a.imagen_url,
        rejected = e.rejected
            + (e.version_original_id IS DISTINCT FROM a.imagen_version_id)::integer
    FROM articulos a
    WHERE e.job_id = NEW.job_id AND e.estado = 'failed' AND a.id = e.articulo_id
        AND (e.is_preview OR NOT EXISTS (
            SELECT FROM catalog_edits open
            WHERE open.articulo_id = e.articulo_id AND open.estado IN ('pending', 'processing')
                AND NOT open.is_preview
        ));
    RETURN NULL;
END;
$$;
