-- What do the models run on, whose turn is it there, and what is loaded?
--
-- device               a graphics card, which one process at a time may use, or a processor
-- worker               host and process
-- held_since           since when it is that process's turn; empty where it is not, or none is needed
-- wanted_since         since when another process waits for its turn
-- models               what the process has loaded, the one used longest ago first
-- loaded_bytes         what these take
-- budget_bytes         what all models of the process together may take
-- free_bytes           what is left of the device's memory
-- started_at
-- beat_seconds         since the process told of itself
-- lives                true where that is not too long ago; the turn of one that is silent has expired
--
-- Cost: one row a worker process that runs models.
SELECT
    r.device,
    r.name AS worker,
    d.held_since,
    d.wanted_since,
    loaded.models,
    loaded.bytes AS loaded_bytes,
    (r.facts ->> 'budget')::bigint AS budget_bytes,
    (r.facts -> 'memory' ->> 'free')::bigint AS free_bytes,
    r.started_at,
    round(extract(epoch FROM now() - r.beat_at), 1) AS beat_seconds,
    r.beat_at > now() - make_interval(secs => r.stale_seconds) AS lives
FROM runtimes r
LEFT JOIN devices d ON d.name = r.device AND d.holder_id = r.id
CROSS JOIN LATERAL (
    SELECT
        string_agg(model ->> 'name', ', ' ORDER BY place) AS models,
        coalesce(sum((model ->> 'size')::bigint), 0)::bigint AS bytes
    FROM jsonb_array_elements(r.models) WITH ORDINALITY AS m (model, place)
) loaded
ORDER BY r.device, r.started_at
LIMIT 500
