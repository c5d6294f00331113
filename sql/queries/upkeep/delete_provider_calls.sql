-- Delete the rows of calls to outside services that are older than :seconds.
DELETE FROM provider_calls
WHERE id = ANY(ARRAY(
    SELECT id FROM provider_calls
    WHERE at < now() - make_interval(secs => :seconds)
    ORDER BY at
    LIMIT :size FOR UPDATE SKIP LOCKED
))
RETURNING NULL::uuid
