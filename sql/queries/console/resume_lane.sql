-- Let a paused lane go on and wake its workers; answers its name, nothing when there is none such.
WITH resumed AS (
    UPDATE lanes SET paused_at = NULL, paused_by = NULL, pause_reason = NULL
    WHERE name = :lane AND paused_at IS NOT NULL
    RETURNING name
)
SELECT name FROM resumed, darkroom_wake_lane_v1(name)
