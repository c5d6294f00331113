-- Whether the device is the process's, and whether another one waits while it has nothing to do.
SELECT
    holder_id = :runtime AS is_mine,
    wanted_by IS NOT NULL AND darkroom_device_is_idle_v1(attempts) AS gives_way
FROM devices
WHERE name = :device
