-- The edit that goes on now; of several the one that began first.
SELECT id, articulo_id, articulo_nombre, estado, started_at, intentos,
    round(extract(epoch FROM clock_timestamp() - started_at), 1)::double precision
        AS segundos_procesando
FROM catalog_edits
WHERE estado = 'processing' AND NOT is_preview
ORDER BY started_at, id
LIMIT 1
