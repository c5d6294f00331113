-- Tell one webhook what happened to a run: its delivery, and the job that sends it.
-- Deliveries of one run share a lock, so that they go out in order; four locks a webhook keep a
-- slow endpoint from taking more than four places of the lane.
-- depends: 0011_signals queue_delivery_v1

CREATE FUNCTION darkroom_signal_v1(webhook webhooks, run runs, happened text)
    RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    delivery uuid;
BEGIN
    INSERT INTO webhook_deliveries (webhook_id, run_id, event, run)
    VALUES (
        webhook.id, run.id, happened,
        jsonb_build_object(
            'id', run.id,
            'pipeline', run.pipeline,
            'title', run.title,
            'status', run.status,
            'owner_id', run.owner_id,
            'progress', run.progress,
            'result', run.result,
            'error', run.error,
            'cost', run.cost::text,
            'created_at', run.created_at,
            'started_at', run.started_at,
            'finished_at', run.finished_at
        )
    )
    RETURNING id INTO delivery;
    PERFORM darkroom_queue_delivery_v1(
        delivery, webhook.owner_id, happened,
        'webhook:' || webhook.id || ':' || (hashtext(run.id::text) & 3)
    );
END;
$$;
