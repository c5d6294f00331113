-- A model answered: it is there after all.
UPDATE provider_models
SET is_there = true, note = '', checked_at = clock_timestamp()
WHERE provider = :provider AND model = :model AND NOT is_there
