-- Take a device for a step of a process; false when it is another one's turn.
-- It is free when nobody holds it, when its holder has gone silent, and when the holder gave way to a
-- process that did not come for it in time. Whoever is refused is remembered, so that the holder
-- gives way in its turn.
-- depends: 0025_devices

CREATE FUNCTION darkroom_take_device_v1(
    device text, runtime uuid, lease bigint, at timestamptz DEFAULT NULL
)
    RETURNS boolean
    LANGUAGE plpgsql
AS $$
DECLARE
    d devices;
    is_mine boolean;
BEGIN
    INSERT INTO devices (name) VALUES (device) ON CONFLICT DO NOTHING;
    SELECT * INTO d FROM devices WHERE name = device FOR UPDATE;
    at := coalesce(at, clock_timestamp());
    is_mine := d.holder_id IS NOT DISTINCT FROM runtime;
    IF NOT is_mine AND EXISTS (
        SELECT FROM runtimes r
        WHERE r.id = d.holder_id AND r.beat_at > at - make_interval(secs => r.stale_seconds)
    ) THEN
        UPDATE devices
        SET wanted_by = coalesce(d.wanted_by, runtime), wanted_since = coalesce(d.wanted_since, at)
        WHERE name = device;
        RETURN false;
    END IF;
    IF d.holder_id IS NULL AND d.wanted_by <> runtime AND d.kept_until > at THEN
        RETURN false;
    END IF;
    UPDATE devices
    SET holder_id = runtime,
        held_since = CASE WHEN is_mine THEN d.held_since ELSE at END,
        -- Its own first: what a lost answer took before is taken once.
        attempts = CASE WHEN is_mine THEN array_remove(d.attempts, lease) END || lease,
        wanted_by = CASE WHEN is_mine THEN d.wanted_by END,
        wanted_since = CASE WHEN is_mine THEN d.wanted_since END,
        kept_until = NULL
    WHERE name = device;
    RETURN true;
END;
$$;
