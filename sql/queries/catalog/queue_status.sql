-- How many edits are in each state.
SELECT
    count(*) FILTER (WHERE estado = 'pending') AS pendientes,
    count(*) FILTER (WHERE estado = 'processing') AS procesando,
    count(*) FILTER (WHERE estado = 'completed') AS completados,
    count(*) FILTER (WHERE estado = 'failed') AS fallidos,
    count(*) AS total
FROM catalog_edits
WHERE NOT is_preview
