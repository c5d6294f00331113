-- Enqueue an alert in the caller's transaction.
-- depends: 0007_gates enqueue_steps_v1

CREATE FUNCTION darkroom_alert_v1(subject text, body text)
    RETURNS void
    LANGUAGE sql
AS $$
    SELECT darkroom_enqueue_steps_v1(
        ARRAY['notifying.alert'], ARRAY['io'],
        ARRAY[jsonb_build_object('subject', subject, 'text', body)], ARRAY[subject], ARRAY[0.0],
        ARRAY[3], ARRAY[NULL::timestamptz], NULL, 0, NULL, NULL
    )
$$;
