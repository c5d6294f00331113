-- Variants: what is tried again is made again, previews are paid for, and who waits hears of failure.
-- depends: 0029_kept_results

-- A step that an operator has tried again brings back what it makes: one variant, or, when the photo
-- is to be looked at again, all of the run's. What was discarded meanwhile stays as it is.
CREATE FUNCTION darkroom_reopen_variant_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    made uuid;
BEGIN
    SELECT (args ->> 'generation_id')::uuid INTO made FROM procrastinate_jobs WHERE id = NEW.job_id;
    UPDATE generations
    SET status = 'pending', error = NULL, completed_at = NULL
    WHERE run_id = NEW.run_id AND status = 'failed' AND discarded_at IS NULL
        AND (id = made OR made IS NULL);
    RETURN NULL;
END;
$$;
CREATE TRIGGER variant_step_reopened AFTER UPDATE OF finished_at ON steps
    FOR EACH ROW WHEN (
        NEW.name IN ('variants.generate', 'variants.analyse')
        AND OLD.finished_at IS NOT NULL AND NEW.finished_at IS NULL
    )
    EXECUTE FUNCTION darkroom_reopen_variant_step();

-- What was set aside for a preview is paid when there is one to be seen, else given back. It is done
-- last of all, in the same transaction: nothing may be waited for behind a balance.
CREATE FUNCTION darkroom_settle_preview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM darkroom_close_reservation_v1(
        r.id,
        CASE WHEN NEW.status = 'completed' AND NEW.discarded_at IS NULL
            THEN 'capture' ELSE 'release' END
    )
    FROM reservations r
    JOIN uploads u ON u.owner_id = r.owner_id
    WHERE u.id = NEW.upload_id AND r.subject = NEW.id AND r.purpose = 'preview'
        AND r.state = 'open';
    RETURN NULL;
END;
$$;
CREATE CONSTRAINT TRIGGER preview_settled AFTER UPDATE OF status ON generations
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (
        OLD.status IS DISTINCT FROM NEW.status AND NEW.status IN ('completed', 'failed')
    )
    EXECUTE FUNCTION darkroom_settle_preview();

-- Of a batch of which nothing comes no step is left that could tell its owner.
CREATE FUNCTION darkroom_tell_of_failed_variants() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM darkroom_enqueue_steps_v1(
        ARRAY['variants.tell'], ARRAY['io'],
        ARRAY[jsonb_build_object('upload_id', u.id, 'address', o.email, 'made', 0)],
        ARRAY[o.email], ARRAY[0], ARRAY[8], ARRAY[NULL::timestamptz], NULL, NEW.priority, NULL, NULL
    )
    FROM uploads u
    JOIN users o ON o.id = u.owner_id
    JOIN user_upload_workflows w ON w.user_id = o.uuid
    WHERE u.id = (NEW.params ->> 'upload_id')::uuid AND w.notify_by_email AND o.email IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM generations WHERE upload_id = u.id AND status = 'completed'
        );
    RETURN NULL;
END;
$$;
CREATE TRIGGER variants_failed AFTER UPDATE OF status ON runs
    FOR EACH ROW WHEN (
        NEW.pipeline = 'variants' AND NOT NEW.params ? 'unlock'
        AND NEW.status = 'failed' AND OLD.status IS DISTINCT FROM NEW.status
    )
    EXECUTE FUNCTION darkroom_tell_of_failed_variants();
