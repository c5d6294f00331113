-- A step is done with the device. Answers whether its process has had its turn: nobody else of it is
-- there, and another process has waited long enough.
UPDATE devices
SET attempts = array_remove(attempts, CAST(:lease AS bigint))
WHERE name = :device AND holder_id = :runtime
RETURNING coalesce(
    wanted_since
        < coalesce(:at, clock_timestamp()) - make_interval(secs => CAST(:turn_seconds AS double precision)),
    false
) AND darkroom_device_is_idle_v1(attempts)
