-- Lets go of those pictures that were asked for longest ago, until the others fit into the bytes.
WITH ranked AS (
    SELECT id, sum(size_bytes) OVER (ORDER BY used_at DESC, id) AS bytes_up_to
    FROM kept_pictures
    WHERE asset_id IS NOT NULL
),
gone AS (
    SELECT k.id
    FROM kept_pictures k
    JOIN ranked r ON r.id = k.id AND r.bytes_up_to > :most_bytes
    FOR UPDATE OF k SKIP LOCKED
),
deleted AS (
    DELETE FROM kept_pictures k USING gone
    WHERE k.id = gone.id
    RETURNING k.size_bytes
)
SELECT count(*) AS removed, coalesce(sum(size_bytes), 0)::bigint AS freed_bytes FROM deleted
