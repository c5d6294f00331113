-- Call the new pictures of edits good, and say of each edit that was asked for what came of it.
-- One that its article does not show is shown, if it is the newest and the article still shows what
-- it was made from. The caller holds the articles.
WITH found AS MATERIALIZED (
    SELECT
        asked.id, e.articulo_id, e.version_original_id, v.id AS version_id, v.url,
        CASE
            WHEN e.id IS NULL THEN 'missing'
            WHEN e.estado <> 'completed' THEN 'not_done'
            WHEN v.id IS NULL OR v.removed_at IS NOT NULL THEN 'gone'
            WHEN v.veredicto = 'approved' THEN 'already'
        END AS left_out
    FROM unnest(CAST(:edit_ids AS integer[])) AS asked (id)
    LEFT JOIN catalog_edits e ON e.id = asked.id AND NOT e.is_preview
    LEFT JOIN imagen_versiones v ON v.id = e.version_procesada_id
),
judged AS (
    UPDATE imagen_versiones v SET veredicto = 'approved'
    FROM found f
    WHERE v.id = f.version_id AND f.left_out IS NULL
),
shown AS (
    UPDATE articulos a
    SET imagen_version_id = f.version_id, imagen_url = f.url, updated_at = now()
    FROM found f
    WHERE a.id = f.articulo_id AND f.left_out IS NULL
        AND a.imagen_version_id = f.version_original_id
        AND NOT EXISTS (
            SELECT FROM imagen_versiones newer
            WHERE newer.articulo_id = f.articulo_id AND newer.id > f.version_id
                AND newer.removed_at IS NULL AND NOT newer.is_preview
        )
)
SELECT id, left_out FROM found
