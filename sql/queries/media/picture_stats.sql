-- How many pictures are kept, what they take, and what they and those before them spared.
SELECT
    count(k.id) AS entries,
    coalesce(sum(k.size_bytes), 0)::bigint AS total_size_bytes,
    min(k.created_at) AS oldest,
    max(k.used_at) AS last_used,
    (coalesce(sum(k.hits), 0) + gone.hits)::bigint AS hits,
    count(k.id) + gone.pictures AS misses
FROM gone_picture_counts gone
LEFT JOIN kept_pictures k ON k.asset_id IS NOT NULL
GROUP BY gone.hits, gone.pictures
