-- Delete request limits that say nothing any more.
DELETE FROM limits_used
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM limits_used WHERE expires_at < now()
    LIMIT :size FOR UPDATE SKIP LOCKED
))
RETURNING NULL::uuid
