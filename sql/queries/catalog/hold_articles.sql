-- Hold the articles of edits, in the order of their numbers, while somebody decides on them.
SELECT id
FROM articulos
WHERE id IN (SELECT articulo_id FROM catalog_edits WHERE id = ANY(:edit_ids))
ORDER BY id
FOR NO KEY UPDATE
