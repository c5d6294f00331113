-- Takes the making of a picture: no row where it is made, or where an attempt that lives is at it.
INSERT INTO kept_pictures AS kept (key, asked, attempt_id)
VALUES (:key, :asked, :attempt_id)
ON CONFLICT (key) DO UPDATE SET attempt_id = excluded.attempt_id, used_at = now()
WHERE kept.asset_id IS NULL
    AND (kept.attempt_id = excluded.attempt_id OR NOT darkroom_attempt_is_open_v1(kept.attempt_id))
RETURNING id, rejected
