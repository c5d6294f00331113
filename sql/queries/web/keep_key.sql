-- Write the run that a claimed key made; touches no row when the claim was lost.
UPDATE idempotency_keys SET run_id = :run_id
WHERE user_id = :user_id AND endpoint = :endpoint AND key = :key
    AND claim = :claim AND run_id IS NULL
