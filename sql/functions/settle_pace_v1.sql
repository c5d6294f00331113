-- A pace as it stands: what a dead holder held ended with its attempt. Makes the row when missing.
-- The caller holds the pace.
-- depends: 0007_gates attempt_is_open_v1

CREATE FUNCTION darkroom_settle_pace_v1(of_pace text, spacing double precision, at timestamptz)
    RETURNS paces
    LANGUAGE plpgsql
AS $$
DECLARE
    p paces;
BEGIN
    INSERT INTO paces AS old (name, spacing_seconds, free_at) VALUES (of_pace, spacing, at)
    ON CONFLICT (name) DO UPDATE SET spacing_seconds = excluded.spacing_seconds
    WHERE old.spacing_seconds <> excluded.spacing_seconds;

    UPDATE paces
    SET holder_call_id = NULL, holder_attempt_id = NULL, held_since = NULL,
        free_at = make_interval(secs => spacing_seconds) + coalesce(
            (SELECT a.finished_at FROM attempts a WHERE a.id = holder_attempt_id), at
        )
    WHERE name = of_pace AND holder_call_id IS NOT NULL
        AND NOT (
            darkroom_attempt_is_open_v1(holder_attempt_id)
            AND EXISTS (SELECT FROM permits WHERE call_id = holder_call_id)
        );
    SELECT * INTO p FROM paces WHERE name = of_pace;
    RETURN p;
END;
$$;
