-- Notes that an answer is of no use, while the attempt that says so is the one that makes the picture.
UPDATE kept_pictures SET rejected = rejected + 1
WHERE id = :id AND attempt_id = :attempt_id AND asset_id IS NULL
