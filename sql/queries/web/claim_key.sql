-- Claim an idempotency key: 'claimed', 'made' (and the run), 'in_progress' or 'differs'.
SELECT answer, made_run FROM darkroom_claim_key_v1(
    :user_id, :endpoint, :key, :body_hash, :claim, :claim_seconds, :kept_seconds
)
