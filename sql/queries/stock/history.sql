-- What stood at a location at the end of each span of days, and what came and went in it.
WITH moved AS (
    SELECT
        least(
            (cast(now() AT TIME ZONE :zone AS date) - cast(m.created_at AT TIME ZONE :zone AS date))
                / cast(:span AS integer),
            cast(:points AS integer)
        ) AS ago,
        sum(m.quantity) FILTER (WHERE m.is_inbound) AS came,
        -sum(m.quantity) FILTER (WHERE NOT m.is_inbound) AS went
    FROM stock_batches b
    JOIN stock_movements m ON m.batch_id = b.id
    WHERE b.storage_location_id = :location_id
        AND (cast(:product_id AS integer) IS NULL OR b.product_id = :product_id)
    GROUP BY 1
),
levels AS (
    -- The last one holds all that was before.
    SELECT
        ago,
        coalesce(came, 0) AS came,
        coalesce(went, 0) AS went,
        cast(
            sum(coalesce(came, 0) - coalesce(went, 0)) OVER (ORDER BY ago DESC) AS bigint
        ) AS quantity
    FROM generate_series(0, cast(:points AS integer)) AS spans (ago)
    LEFT JOIN moved USING (ago)
)
SELECT
    cast(now() AT TIME ZONE :zone AS date) - ago * cast(:span AS integer) AS day,
    came,
    went,
    quantity
FROM levels
WHERE ago < :points
ORDER BY ago DESC
