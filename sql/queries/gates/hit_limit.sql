-- Count one call of a client to an endpoint, if its quota has room.
SELECT allowed, remaining, reset_at, retry_seconds
FROM darkroom_hit_limit_v1(:client, :endpoint, :quota, :period, :at)
