-- How many generated pictures are kept, and how often did that spare buying one?
-- One row: all pictures since the beginning, also those that were let go of.
--
-- entries              pictures that are kept
-- total_size_bytes     what they take
-- hits                 times that somebody was given one that was there
-- misses               pictures that were made because there was none
-- hit_fraction         of both; empty before the first picture
-- oldest               when the oldest of them was made
-- last_used            when one of them was asked for last
--
-- Cost: reads the row of every kept picture; upkeep lets go of those that nobody asks for, and of
-- more than there is room for.
SELECT
    found.entries,
    found.total_size_bytes,
    found.hits,
    found.misses,
    round(found.hits::numeric / nullif(found.hits + found.misses, 0), 4) AS hit_fraction,
    found.oldest,
    found.last_used
FROM (
    SELECT
        count(k.id) AS entries,
        coalesce(sum(k.size_bytes), 0)::bigint AS total_size_bytes,
        (coalesce(sum(k.hits), 0) + gone.hits)::bigint AS hits,
        count(k.id) + gone.pictures AS misses,
        min(k.created_at) AS oldest,
        max(k.used_at) AS last_used
    FROM gone_picture_counts gone
    LEFT JOIN kept_pictures k ON k.asset_id IS NOT NULL
    GROUP BY gone.hits, gone.pictures
) found
