-- Enqueue steps in the caller's transaction: a procrastinate job and a step row each; answers their
-- job ids in the order given. The arrays hold one element a step. Lanes hear of it by procrastinate's
-- own triggers.
-- depends: 0006_fairness

CREATE FUNCTION darkroom_enqueue_steps_v1(
    names text[], lanes text[], argses jsonb[], labels text[], shares double precision[],
    max_attemptses integer[], ats timestamptz[],
    of_run uuid, job_priority integer, child_of bigint, callback_of bigint
)
    RETURNS bigint[]
    LANGUAGE sql
AS $$
    WITH given AS MATERIALIZED (
        SELECT
            nextval('procrastinate_jobs_id_seq') AS id,
            (SELECT r.owner_id FROM runs r WHERE r.id = of_run) AS owner_id,
            g.*
        FROM unnest(names, lanes, argses, labels, shares, max_attemptses, ats)
            WITH ORDINALITY AS g(name, lane, args, label, share, max_attempts, at, place)
    ),
    jobs AS (
        INSERT INTO procrastinate_jobs
            (id, queue_name, task_name, priority, args, scheduled_at, owner_id)
        SELECT id, lane, name, job_priority, args, at, coalesce(owner_id, 0)
        FROM given
        ORDER BY place
        RETURNING id
    ),
    rows AS (
        INSERT INTO steps
            (job_id, run_id, fan_in_id, callback_of, owner_id, name, label, max_attempts, share)
        SELECT g.id, of_run, child_of, callback_of, g.owner_id, name, label, max_attempts, share
        FROM given g JOIN jobs j ON j.id = g.id
    )
    SELECT array_agg(g.id ORDER BY g.place) FROM given g
$$;
