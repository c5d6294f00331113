-- What was finished stays finished when a later run of it fails; the sandbox's pictures are not kept
-- in the place of real ones.
-- depends: 0028_attempt_logs

-- A request follows its run; only its own last step completes it. One that was completed before, and
-- is worked on again, goes back to what it has: the error stays as a note.
CREATE OR REPLACE FUNCTION darkroom_follow_media_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE media_requests
    SET status = CASE
            WHEN NEW.status = 'running' THEN 'processing'
            WHEN completed_at IS NOT NULL THEN 'completed'
            ELSE NEW.status
        END,
        error = CASE WHEN NEW.status = 'failed' THEN NEW.error ->> 'message' END
    WHERE run_id = NEW.id
        AND (status <> 'completed' OR OLD.status IN ('failed', 'cancelled'));
    RETURN NULL;
END;
$$;
UPDATE media_requests SET status = 'completed'
WHERE status IN ('failed', 'cancelled') AND completed_at IS NOT NULL;

-- Their keys said nothing of the sandbox; new ones do.
DELETE FROM kept_pictures WHERE asset_id IS NOT NULL AND made_by ->> 'is_sandbox' = 'true';
