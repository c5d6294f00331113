-- How many discarded variants still have files that are old enough to go.
SELECT count(*)
FROM generations
WHERE discarded_at < now() - :seconds * interval '1 s'
    AND (asset_id IS NOT NULL OR preview_id IS NOT NULL OR final_id IS NOT NULL)
