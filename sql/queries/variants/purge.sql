-- Let go of the files of variants that were discarded long ago; the rows stay.
UPDATE generations
SET asset_id = NULL, preview_id = NULL, final_id = NULL
WHERE discarded_at < now() - :seconds * interval '1 s'
    AND (asset_id IS NOT NULL OR preview_id IS NOT NULL OR final_id IS NOT NULL)
