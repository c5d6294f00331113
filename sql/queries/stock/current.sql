-- A page of what is there, by location, product and state, in the order of their codes.
SELECT
    l.code AS location,
    l.name AS location_name,
    p.code AS product,
    p.name AS product_name,
    s.code AS state,
    s.name AS state_name,
    c.quantity,
    c.batches
FROM storage_locations l
-- Location by location (OFFSET 0 sees to it), so that a page looks no further than it shows.
CROSS JOIN LATERAL (
    SELECT * FROM current_stock
    WHERE storage_location_id = l.id
        AND (cast(:product_id AS integer) IS NULL OR product_id = :product_id)
        AND (cast(:state_id AS integer) IS NULL OR product_state_id = :state_id)
    OFFSET 0
) c
JOIN products p ON p.id = c.product_id
JOIN product_states s ON s.id = c.product_state_id
WHERE (cast(:location_id AS integer) IS NULL OR l.id = :location_id)
    AND (l.code ILIKE :pattern OR l.name ILIKE :pattern)
    AND l.code >= :after_location
    AND (l.code, p.code, s.code) > (:after_location, :after_product, :after_state)
ORDER BY l.code, p.code, s.code
LIMIT :size
