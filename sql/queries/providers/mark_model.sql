-- Note whether a model is there; a row comes back when that is news.
INSERT INTO provider_models AS m (provider, model, is_there, note, checked_at)
VALUES (:provider, :model, :is_there, :note, clock_timestamp())
ON CONFLICT (provider, model) DO UPDATE
SET is_there = excluded.is_there, note = excluded.note, checked_at = excluded.checked_at
WHERE m.is_there <> excluded.is_there
RETURNING m.model
