-- Edits, newest first, with how long each took in seconds.
SELECT id, articulo_id, articulo_nombre, estado, prioridad, intentos, max_intentos, error_message,
    created_at, started_at, completed_at,
    round(extract(epoch FROM completed_at - started_at))::integer AS duracion_segundos
FROM catalog_edits
WHERE NOT is_preview
ORDER BY created_at DESC, id DESC
LIMIT :limit OFFSET :offset
