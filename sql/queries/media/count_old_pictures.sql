-- How many pictures nobody asked for in so long.
SELECT count(*) FROM kept_pictures
WHERE used_at <= now() - :seconds * interval '1 s' AND asset_id IS NOT NULL
