-- What the end of steps means for their fan-ins and runs, in the transaction that ended their jobs.
-- The arrays hold one element a step: its job, what it hands to a callback, its error (null: it
-- succeeded), how many steps it enqueued, what it adds to the run's result, and whether it was
-- stopped rather than ended (it then counts for nothing but the run's open steps). A step that had
-- ended before was put back past the engine (procrastinate's shell): it was counted then.
-- A step that a person cancelled has an error of the class 'Cancelled': to its fan-in it is a child
-- that failed; a run that cannot go on for nothing but such errors was cancelled, and did not fail.
-- Rows are taken in the order steps, fan-ins, runs, each kind by its id, and a run's row once.
-- depends: 0006_fairness close_runs_v2 enqueue_steps_v1

CREATE FUNCTION darkroom_end_steps_v2(
    job_ids bigint[], results jsonb[], errors jsonb[], enqueued integer[], run_results jsonb[],
    stopped boolean[]
)
    RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    run_ids uuid[];
BEGIN
    WITH given AS (
        SELECT * FROM unnest(job_ids, results, errors, enqueued, run_results, stopped)
            WITH ORDINALITY AS g(job_id, result, error, enqueued, run_result, stopped, place)
    ),
    held AS MATERIALIZED (
        SELECT
            s.job_id, s.run_id, s.fan_in_id, s.share * (1 - s.progress) AS left_to_gain,
            s.finished_at IS NULL AS is_open
        FROM steps s
        WHERE s.job_id = ANY(job_ids)
        ORDER BY s.job_id
        FOR UPDATE OF s
    ),
    ended AS (
        UPDATE steps s
        SET progress = CASE WHEN g.stopped THEN s.progress ELSE 1 END,
            result = CASE WHEN g.stopped THEN s.result ELSE g.result END,
            error = CASE WHEN g.stopped THEN s.error ELSE g.error END,
            waiting_kind = NULL, waiting_on = NULL, waiting_for = NULL,
            finished_at = now()
        FROM given g JOIN held h USING (job_id)
        WHERE s.job_id = g.job_id
    ),
    children AS MATERIALIZED (
        SELECT
            h.fan_in_id AS id,
            count(*) AS ended,
            count(g.error) AS failed,
            (array_agg(g.error ORDER BY g.error ->> 'class' = 'Cancelled', g.place DESC)
                FILTER (WHERE g.error IS NOT NULL))[1] AS error
        FROM held h JOIN given g USING (job_id)
        WHERE h.fan_in_id IS NOT NULL AND h.is_open AND NOT g.stopped
        GROUP BY h.fan_in_id
    ),
    fan_in_rows AS MATERIALIZED (
        SELECT f.id FROM fan_ins f WHERE f.id IN (SELECT c.id FROM children c)
        ORDER BY f.id
        FOR NO KEY UPDATE
    ),
    counted AS (
        UPDATE fan_ins f
        SET pending = f.pending - c.ended,
            failed = f.failed + c.failed,
            fired_at = CASE
                WHEN f.pending = c.ended AND f.failed + c.failed < f.children THEN now()
                ELSE f.fired_at
            END
        FROM fan_in_rows l JOIN children c USING (id)
        WHERE f.id = l.id
        RETURNING f.*, c.error AS last_error
    ),
    -- Of all children that failed the run has the error; of some, the callback.
    called AS MATERIALIZED (
        SELECT
            c.run_id,
            darkroom_enqueue_steps_v1(
                ARRAY[c.callback], ARRAY[c.callback_lane], ARRAY[c.callback_args], ARRAY[''],
                ARRAY[c.callback_share], ARRAY[c.callback_max_attempts], ARRAY[NULL::timestamptz],
                c.run_id, r.priority, NULL, c.id
            ) AS job_id
        FROM counted c JOIN runs r ON r.id = c.run_id
        WHERE c.pending = 0 AND c.failed < c.children
    ),
    changes AS MATERIALIZED (
        SELECT
            h.run_id AS id,
            sum(g.enqueued) - count(*) FILTER (WHERE h.is_open) AS steps,
            sum(CASE WHEN g.stopped THEN 0 ELSE h.left_to_gain END) AS gained,
            (array_agg(g.error ORDER BY g.error ->> 'class' = 'Cancelled', g.place) FILTER (
                WHERE g.error IS NOT NULL AND (h.fan_in_id IS NULL OR g.stopped)
            ))[1] AS error
        FROM held h JOIN given g USING (job_id)
        WHERE h.run_id IS NOT NULL
        GROUP BY h.run_id
    ),
    run_rows AS MATERIALIZED (
        SELECT r.id FROM runs r
        WHERE r.id IN (SELECT c.id FROM changes c)
            -- After the fan-ins: a CTE runs when it is first asked for.
            AND (SELECT count(*) FROM called) >= 0
        ORDER BY r.id
        FOR NO KEY UPDATE
    ),
    settled AS (
        UPDATE runs r
        SET open_steps = r.open_steps + c.steps + (SELECT count(*) FROM called WHERE run_id = r.id),
            progress = least(1, r.progress + c.gained),
            result = CASE WHEN w.result IS NULL THEN r.result
                ELSE coalesce(r.result, '{}') || w.result END,
            status = CASE
                WHEN f.error IS NULL OR r.status NOT IN ('pending', 'running') THEN r.status
                WHEN f.error ->> 'class' = 'Cancelled' THEN 'cancelled'
                ELSE 'failed'
            END,
            error = CASE WHEN f.error IS NOT NULL AND r.status IN ('pending', 'running')
                THEN f.error ELSE r.error END,
            finished_at = CASE WHEN f.error IS NOT NULL AND r.status IN ('pending', 'running')
                THEN now() ELSE r.finished_at END
        FROM run_rows l
        JOIN changes c USING (id)
        LEFT JOIN LATERAL (
            SELECT coalesce(c.error, (
                SELECT coalesce(b.error, d.last_error)
                FROM counted d
                LEFT JOIN LATERAL (
                    -- What really failed is the run's error, also where others were cancelled after it.
                    SELECT s.error
                    FROM steps s
                    WHERE d.last_error ->> 'class' = 'Cancelled' AND s.fan_in_id = d.id
                        AND s.error ->> 'class' <> 'Cancelled'
                    ORDER BY s.job_id DESC
                    LIMIT 1
                ) b ON true
                WHERE d.run_id = c.id AND d.pending = 0 AND d.failed = d.children
                LIMIT 1
            )) AS error
        ) f ON true
        LEFT JOIN LATERAL (
            SELECT jsonb_object_agg(e.key, e.value ORDER BY g.place) AS result
            FROM held h
            JOIN given g USING (job_id)
            CROSS JOIN LATERAL jsonb_each(g.run_result) e
            WHERE h.run_id = c.id AND g.run_result IS NOT NULL
        ) w ON true
        WHERE r.id = l.id
        RETURNING r.id, r.open_steps, r.status, r.cancel_requested_at
    )
    SELECT array_agg(id) FILTER (
        WHERE open_steps = 0 OR cancel_requested_at IS NOT NULL
            OR status NOT IN ('pending', 'running')
    ) INTO run_ids FROM settled;

    IF run_ids IS NOT NULL THEN
        PERFORM darkroom_close_runs_v2(run_ids);
    END IF;
END;
$$;
