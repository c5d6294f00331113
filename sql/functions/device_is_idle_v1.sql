-- Whether no step uses a device any more; an attempt that is closed does not, whatever became of it.
-- depends: 0025_devices

CREATE FUNCTION darkroom_device_is_idle_v1(users bigint[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM attempts a WHERE a.id = ANY(users) AND a.finished_at IS NULL
    )
$$;
