-- How much is there in all, in how many batches, at how many locations.
SELECT
    coalesce(sum(quantity_current), 0) AS plants,
    count(*) AS batches,
    count(DISTINCT storage_location_id) AS locations
FROM stock_batches
WHERE quantity_current > 0
    AND (cast(:location_id AS integer) IS NULL OR storage_location_id = :location_id)
    AND (cast(:product_id AS integer) IS NULL OR product_id = :product_id)
    AND (cast(:state_id AS integer) IS NULL OR product_state_id = :state_id)
    AND (
        :pattern = '%%'
        OR storage_location_id IN (
            SELECT id FROM storage_locations WHERE code ILIKE :pattern OR name ILIKE :pattern
        )
    )
