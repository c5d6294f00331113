-- Pause a lane that is not paused; answers its name, nothing when there is none such.
UPDATE lanes SET paused_at = now(), paused_by = :user_id, pause_reason = :reason
WHERE name = :lane AND paused_at IS NULL
RETURNING name
