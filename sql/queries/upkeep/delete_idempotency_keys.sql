-- Delete idempotency keys that have expired; answers the runs they stood for.
DELETE FROM idempotency_keys
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM idempotency_keys WHERE expires_at < now()
    LIMIT :size FOR UPDATE SKIP LOCKED
))
RETURNING run_id
