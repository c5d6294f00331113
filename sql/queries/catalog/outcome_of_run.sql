-- How many edits of a run were completed, and how many failed.
SELECT
    count(*) FILTER (WHERE estado = 'completed') AS completados,
    count(*) FILTER (WHERE estado = 'failed') AS fallidos
FROM catalog_edits
WHERE run_id = :run_id
