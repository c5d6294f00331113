-- Claim an idempotency key for a request. Answers one of
--   claimed      the request is to be carried out; new_claim is its right to keep the key
--   made         it was carried out before: made_run is its run
--   in_progress  another request with the key and the same body is being worked on
--   differs      the key was used with another body
-- A claim that ended without a run, and a key that expired, are as good as none.
-- depends: 0011_signals

CREATE FUNCTION darkroom_claim_key_v1(
    of_user integer, of_endpoint text, given_key text, given_hash bytea, new_claim uuid,
    claim_seconds double precision, kept_seconds double precision
)
    RETURNS TABLE (answer text, made_run uuid)
    LANGUAGE plpgsql
AS $$
DECLARE
    present idempotency_keys;
BEGIN
    LOOP
        INSERT INTO idempotency_keys AS k
            (user_id, endpoint, key, body_hash, claim, claimed_until, expires_at)
        VALUES (
            of_user, of_endpoint, given_key, given_hash, new_claim,
            clock_timestamp() + make_interval(secs => claim_seconds),
            clock_timestamp() + make_interval(secs => kept_seconds)
        )
        ON CONFLICT (user_id, endpoint, key) DO UPDATE
        SET body_hash = excluded.body_hash, claim = excluded.claim, run_id = NULL,
            claimed_until = excluded.claimed_until, expires_at = excluded.expires_at,
            created_at = now()
        WHERE k.expires_at <= clock_timestamp()
            OR (k.run_id IS NULL AND k.claimed_until <= clock_timestamp());
        IF FOUND THEN
            RETURN QUERY SELECT 'claimed', NULL::uuid;
            RETURN;
        END IF;
        SELECT * INTO present FROM idempotency_keys
        WHERE user_id = of_user AND endpoint = of_endpoint AND key = given_key;
        -- Given up since: try again.
        EXIT WHEN FOUND;
    END LOOP;
    RETURN QUERY SELECT
        CASE
            WHEN present.body_hash <> given_hash THEN 'differs'
            WHEN present.run_id IS NULL THEN 'in_progress'
            ELSE 'made'
        END,
        present.run_id;
END;
$$;
