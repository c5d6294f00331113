-- Queues articles to be edited, and says of each that was asked for what came of it.
-- In the order of their numbers: two clients that queue the same ones wait for each other in turn.
WITH asked AS (
    SELECT id, min(place) AS place
    FROM unnest(CAST(:article_ids AS integer[])) WITH ORDINALITY AS given (id, place)
    GROUP BY id
),
added AS (
    INSERT INTO catalog_edits (
        articulo_id, prioridad, imagen_url_original, version_original_id,
        articulo_nombre, articulo_descripcion, articulo_unidad
    )
    SELECT
        articulos.id, :priority, articulos.imagen_url, articulos.imagen_version_id,
        articulos.nombre, articulos.descripcion, articulos.unidad
    FROM asked
    JOIN articulos USING (id)
    WHERE articulos.imagen_url IS NOT NULL
    ORDER BY articulos.id
    ON CONFLICT (articulo_id) WHERE estado IN ('pending', 'processing') AND NOT is_preview
    DO NOTHING
    RETURNING id, articulo_id, articulo_nombre
)
SELECT
    asked.id AS article_id,
    added.id AS edit_id,
    added.articulo_nombre AS name,
    CASE
        WHEN added.id IS NOT NULL THEN NULL
        WHEN articulos.id IS NULL THEN 'missing'
        WHEN articulos.imagen_url IS NULL THEN 'no_image'
        ELSE 'queued'
    END AS left_out
FROM asked
LEFT JOIN articulos ON articulos.id = asked.id
LEFT JOIN added ON added.articulo_id = asked.id
ORDER BY asked.place
