-- A process ends: it is at no device any more.
WITH left_behind AS (
    UPDATE devices
    SET holder_id = NULL, held_since = NULL, attempts = '{}'
    WHERE holder_id = :runtime
)
DELETE FROM runtimes WHERE id = :runtime
