-- Keep what a try at a delivery came to.
UPDATE webhook_deliveries
SET tries = tries + 1, tried_at = clock_timestamp(), seconds = :seconds,
    response_status = :response_status, response_body = :response_body, error = :error,
    outcome = coalesce(:outcome, outcome)
WHERE id = :delivery_id
