-- Delete sign-in links that have expired.
DELETE FROM sign_in_links
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM sign_in_links WHERE expires_at < now() - interval '1 day'
    LIMIT :size FOR UPDATE SKIP LOCKED
))
RETURNING NULL::uuid
