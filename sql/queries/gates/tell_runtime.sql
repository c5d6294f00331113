-- What a process knows of itself and its device; those that have long been silent are forgotten.
WITH gone AS (
    DELETE FROM runtimes
    WHERE id <> :runtime AND beat_at < now() - make_interval(secs => 10 * stale_seconds)
)
INSERT INTO runtimes (id, name, device, facts, models, stale_seconds)
VALUES (
    :runtime, :name, :device, CAST(:facts AS jsonb), CAST(:models AS jsonb), :stale_seconds
)
ON CONFLICT (id) DO UPDATE
SET facts = excluded.facts, models = excluded.models, beat_at = now()
