-- Send nothing more to an endpoint, and say why.
UPDATE webhooks
SET active = false, disabled_at = clock_timestamp(), disabled_reason = :reason
WHERE id = :webhook_id AND disabled_at IS NULL
