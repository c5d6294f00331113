-- Give a device to the process that waits for it, unless a step of the holder is at it again.
UPDATE devices
SET holder_id = NULL, held_since = NULL, attempts = '{}',
    kept_until = clock_timestamp() + make_interval(secs => CAST(:kept_seconds AS double precision))
WHERE name = :device AND holder_id = :runtime AND darkroom_device_is_idle_v1(attempts)
