-- Note that what is known of a model was found true once more.
UPDATE provider_models
SET checked_at = clock_timestamp(), note = :note
WHERE provider = :provider AND model = :model
