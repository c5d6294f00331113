-- Call the new pictures of edits bad, and say of each edit that was asked for what came of it. What
-- articles show of them gives way to the earlier picture. The caller holds the articles.
WITH found AS MATERIALIZED (
    SELECT
        asked.id, e.articulo_id, e.estado, e.version_original_id,
        v.id AS version_id, v.veredicto, a.imagen_version_id = v.id AS is_shown
    FROM unnest(CAST(:edit_ids AS integer[])) AS asked (id)
    LEFT JOIN catalog_edits e ON e.id = asked.id AND NOT e.is_preview
    LEFT JOIN articulos a ON a.id = e.articulo_id
    LEFT JOIN imagen_versiones v ON v.id = e.version_procesada_id
),
-- Where an article goes back to: what the edit began from, else the newest that is left.
judged AS MATERIALIZED (
    SELECT
        f.*, earlier.id AS earlier_id, earlier.url AS earlier_url,
        CASE
            WHEN f.estado IS NULL THEN 'missing'
            WHEN f.estado <> 'completed' THEN 'not_done'
            WHEN f.version_id IS NULL THEN 'gone'
            WHEN f.veredicto = 'rejected' THEN 'already'
            WHEN EXISTS (
                SELECT FROM catalog_edits open
                WHERE open.articulo_id = f.articulo_id AND open.estado IN ('pending', 'processing')
                    AND NOT open.is_preview AND open.version_original_id = f.version_id
            ) THEN 'queued'
            WHEN f.is_shown AND earlier.id IS NULL THEN 'no_earlier'
        END AS left_out
    FROM found f
    LEFT JOIN LATERAL (
        SELECT b.id, b.url
        FROM imagen_versiones b
        WHERE b.articulo_id = f.articulo_id AND b.id < f.version_id
            AND b.removed_at IS NULL AND NOT b.is_preview
            AND b.veredicto IS DISTINCT FROM 'rejected'
            AND b.id NOT IN (SELECT version_id FROM found WHERE version_id IS NOT NULL)
        ORDER BY (b.id = f.version_original_id) DESC, b.id DESC
        LIMIT 1
    ) earlier ON f.is_shown
),
rejected AS (
    UPDATE imagen_versiones v SET veredicto = 'rejected'
    FROM judged j
    WHERE v.id = j.version_id AND j.left_out IS NULL
),
shown AS (
    UPDATE articulos a
    SET imagen_version_id = j.earlier_id, imagen_url = j.earlier_url, updated_at = now()
    FROM judged j
    WHERE a.id = j.articulo_id AND j.is_shown AND j.left_out IS NULL
)
SELECT id, left_out FROM judged
