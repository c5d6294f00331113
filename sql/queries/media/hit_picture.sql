-- Counts that a picture was there, if it is.
UPDATE kept_pictures SET hits = hits + 1, used_at = now()
WHERE key = :key AND asset_id IS NOT NULL
RETURNING id
