-- Lets go of pictures that nobody asked for in so long, and of what was begun and came to nothing.
-- What was begun within a day stays: it may be bought already, and its next try finds it by its id.
WITH gone AS (
    SELECT id FROM kept_pictures
    WHERE used_at <= now() - :seconds * interval '1 s'
        AND (
            asset_id IS NOT NULL
            OR (used_at <= now() - interval '1 day' AND NOT darkroom_attempt_is_open_v1(attempt_id))
        )
    FOR UPDATE SKIP LOCKED
),
deleted AS (
    DELETE FROM kept_pictures k USING gone
    WHERE k.id = gone.id
    RETURNING k.asset_id, k.size_bytes
)
SELECT count(asset_id) AS removed, coalesce(sum(size_bytes), 0)::bigint AS freed_bytes FROM deleted
