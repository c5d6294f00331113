-- Queue a delivery: a job and its step, noted in the delivery; answers the job's id. Deliveries with
-- a lock go out one after the other.
-- depends: 0011_signals

CREATE FUNCTION darkroom_queue_delivery_v1(
    delivery uuid, of_owner integer, event text, job_lock text
)
    RETURNS bigint
    LANGUAGE plpgsql
AS $$
DECLARE
    job bigint;
BEGIN
    INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, owner_id)
    VALUES (
        'io', 'signalling.deliver', job_lock, jsonb_build_object('delivery_id', delivery), of_owner
    )
    RETURNING id INTO job;
    INSERT INTO steps (job_id, owner_id, name, label, max_attempts)
    VALUES (job, of_owner, 'signalling.deliver', event, 8);
    UPDATE webhook_deliveries SET job_id = job, outcome = NULL WHERE id = delivery;
    RETURN job;
END;
$$;
