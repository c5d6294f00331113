-- Queue failed edits again, of an article the newest, and say of each that was asked for what came
-- of it. Edited is what the article shows now: if that changed, nothing bought before is of use.
WITH found AS MATERIALIZED (
    SELECT
        asked.id, asked.place,
        CASE
            WHEN e.id IS NULL THEN 'missing'
            WHEN e.estado <> 'failed' THEN 'not_failed'
            WHEN EXISTS (
                SELECT FROM catalog_edits open
                WHERE open.articulo_id = e.articulo_id AND open.estado IN ('pending', 'processing')
                    AND NOT open.is_preview
            ) THEN 'queued'
            WHEN EXISTS (
                SELECT FROM catalog_edits newer
                WHERE newer.articulo_id = e.articulo_id AND newer.id > e.id
                    AND newer.id = ANY(:edit_ids) AND newer.estado = 'failed'
                    AND NOT newer.is_preview
            ) THEN 'queued'
        END AS left_out
    FROM unnest(CAST(:edit_ids AS integer[])) WITH ORDINALITY AS asked (id, place)
    LEFT JOIN catalog_edits e ON e.id = asked.id AND NOT e.is_preview
),
again AS (
    UPDATE catalog_edits e
    SET estado = 'pending', intentos = 0, error_message = NULL, error_stack = NULL,
        started_at = NULL, completed_at = NULL, run_id = NULL, job_id = NULL, updated_at = now(),
        version_original_id = a.imagen_version_id, imagen_url_original = a.imagen_url,
        rejected = e.rejected
            + (e.version_original_id IS DISTINCT FROM a.imagen_version_id)::integer
    FROM found f, articulos a
    WHERE e.id = f.id AND f.left_out IS NULL AND e.estado = 'failed' AND a.id = e.articulo_id
    RETURNING e.id, e.articulo_id, e.articulo_nombre, e.prioridad
)
SELECT
    f.id, a.articulo_id, a.articulo_nombre AS name, a.prioridad,
    -- Somebody else was quicker.
    CASE WHEN a.id IS NULL THEN coalesce(f.left_out, 'not_failed') END AS left_out
FROM found f
LEFT JOIN again a ON a.id = f.id
ORDER BY f.place
