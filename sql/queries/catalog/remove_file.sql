-- Lets go of the file of a version that is marked as removed; the sweep of orphans takes it. What
-- was made of that file forgets it, or it would be kept for its sake.
WITH gone AS (
    SELECT id, asset_id FROM imagen_versiones
    WHERE id = :version_id AND removed_at IS NOT NULL
    FOR UPDATE
),
forgotten AS (
    UPDATE assets SET derived_from = NULL FROM gone WHERE assets.derived_from = gone.asset_id
)
UPDATE imagen_versiones
SET asset_id = NULL, public_id = CASE WHEN :is_hosted THEN imagen_versiones.public_id END
FROM gone
WHERE imagen_versiones.id = gone.id
