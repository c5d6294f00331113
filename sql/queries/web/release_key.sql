-- Give up a claimed key that made no run.
DELETE FROM idempotency_keys
WHERE user_id = :user_id AND endpoint = :endpoint AND key = :key
    AND claim = :claim AND run_id IS NULL
