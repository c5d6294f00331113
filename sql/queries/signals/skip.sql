-- End a delivery unsent.
UPDATE webhook_deliveries SET outcome = 'skipped', error = :error
WHERE id = :delivery_id
