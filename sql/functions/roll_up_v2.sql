-- Roll up the attempts that ended since the last call, up to a moment before which no open
-- transaction can still end one; answers how many attempts that were, and up to when.
-- Each attempt is counted once, however often and from wherever this is called; a minute that is not
-- over is added to by later calls. A call does max_minutes at most: call it again while it answers
-- more than 0 attempts.
-- depends: 0015_console_speed buckets_v1 roll_up_v1

CREATE FUNCTION darkroom_roll_up_v2(
    max_minutes integer DEFAULT 60, OUT rolled bigint, OUT up_to timestamptz
)
    LANGUAGE plpgsql
    -- How much lies between the two moments no general plan knows.
    SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    reached timestamptz;
    oldest timestamptz;
    safe timestamptz;
BEGIN
    SELECT rolled_to INTO reached FROM rollup_progress FOR UPDATE;
    -- An attempt bears the time at which it ended, and is seen when that transaction commits:
    -- nothing is rolled up past the start of one that writes. Except one that stays open for ever.
    SELECT greatest(
        clock_timestamp() - interval '15 minutes',
        least(clock_timestamp() - interval '5 seconds', min(xact_start))
    ) INTO safe
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid();
    -- Stretches in which nothing ended are skipped.
    SELECT date_trunc('minute', min(finished_at)) INTO oldest
    FROM attempts WHERE finished_at >= reached;
    up_to := greatest(reached, least(safe, oldest + make_interval(mins => max_minutes)));

    WITH ended AS MATERIALIZED (
        SELECT
            date_trunc('minute', a.finished_at) AS minute,
            j.queue_name AS lane,
            j.task_name AS task,
            a.outcome,
            a.job_id,
            greatest(0, extract(epoch FROM a.finished_at - a.started_at))::double precision
                AS run_seconds,
            CASE WHEN a.number = 1
                THEN greatest(0, extract(epoch FROM a.started_at - s.created_at))::double precision
            END AS wait_seconds
        FROM attempts a
        JOIN procrastinate_jobs j ON j.id = a.job_id
        LEFT JOIN steps s ON s.job_id = a.job_id
        WHERE a.finished_at >= reached AND a.finished_at < up_to
    ),
    timed AS (
        SELECT minute, lane, task, 'run' AS kind, run_seconds AS seconds
        FROM ended WHERE outcome = 'succeeded'
        UNION ALL
        SELECT minute, lane, task, 'wait', wait_seconds
        FROM ended WHERE wait_seconds IS NOT NULL
    ),
    counted AS MATERIALIZED (
        SELECT
            minute, lane, task, outcome, count(*) AS attempts, sum(run_seconds) AS run_seconds,
            max(run_seconds) AS slowest_seconds,
            (array_agg(job_id ORDER BY run_seconds DESC, job_id))[1] AS slowest_job_id
        FROM ended
        GROUP BY minute, lane, task, outcome
    ),
    minutes_added AS (
        INSERT INTO attempt_minutes AS t (
            minute, lane, task, outcome, attempts, run_seconds, slowest_seconds, slowest_job_id
        )
        SELECT * FROM counted
        ON CONFLICT (minute, lane, task, outcome) DO UPDATE
        SET attempts = t.attempts + excluded.attempts,
            run_seconds = t.run_seconds + excluded.run_seconds,
            slowest_seconds = greatest(t.slowest_seconds, excluded.slowest_seconds),
            slowest_job_id = CASE WHEN excluded.slowest_seconds > t.slowest_seconds
                THEN excluded.slowest_job_id ELSE t.slowest_job_id END
    ),
    tens_added AS (
        INSERT INTO attempt_tens AS t (
            minute, lane, task, outcome, attempts, run_seconds, slowest_seconds, slowest_job_id
        )
        SELECT
            date_bin('10 min', minute, timestamptz '2000-01-01Z'), lane, task, outcome,
            sum(attempts), sum(run_seconds), max(slowest_seconds),
            (array_agg(slowest_job_id ORDER BY slowest_seconds DESC, slowest_job_id))[1]
        FROM counted
        GROUP BY 1, 2, 3, 4
        ON CONFLICT (minute, lane, task, outcome) DO UPDATE
        SET attempts = t.attempts + excluded.attempts,
            run_seconds = t.run_seconds + excluded.run_seconds,
            slowest_seconds = greatest(t.slowest_seconds, excluded.slowest_seconds),
            slowest_job_id = CASE WHEN excluded.slowest_seconds > t.slowest_seconds
                THEN excluded.slowest_job_id ELSE t.slowest_job_id END
    ),
    bucketed AS (
        SELECT
            date_bin('10 min', minute, timestamptz '2000-01-01Z') AS minute, lane, task, kind,
            width_bucket(seconds, darkroom_buckets_v1()) AS bucket,
            count(*) AS attempts, sum(seconds) AS seconds
        FROM timed
        GROUP BY 1, 2, 3, 4, 5
    ),
    latencies_counted AS (
        INSERT INTO latency_minutes AS t (minute, lane, task, kind, bucket, attempts, seconds)
        SELECT minute, lane, task, kind, bucket, attempts, seconds
        FROM bucketed
        ON CONFLICT (minute, lane, task, kind, bucket) DO UPDATE
        SET attempts = t.attempts + excluded.attempts, seconds = t.seconds + excluded.seconds
    ),
    attempts_added AS (
        INSERT INTO attempt_totals AS t (lane, task, outcome, attempts, run_seconds)
        SELECT lane, task, outcome, sum(attempts), sum(run_seconds)
        FROM counted
        GROUP BY lane, task, outcome
        ON CONFLICT (lane, task, outcome) DO UPDATE
        SET attempts = t.attempts + excluded.attempts,
            run_seconds = t.run_seconds + excluded.run_seconds
    ),
    latencies_added AS (
        INSERT INTO latency_totals AS t (lane, task, kind, bucket, attempts, seconds)
        SELECT lane, task, kind, bucket, sum(attempts), sum(seconds)
        FROM bucketed
        GROUP BY lane, task, kind, bucket
        ON CONFLICT (lane, task, kind, bucket) DO UPDATE
        SET attempts = t.attempts + excluded.attempts, seconds = t.seconds + excluded.seconds
    )
    SELECT coalesce(sum(attempts), 0) INTO rolled FROM counted;

    UPDATE rollup_progress SET rolled_to = up_to WHERE rolled_to <> up_to;
END;
$$;

-- For workers of an earlier version, which could not go on from the middle of a minute.
CREATE OR REPLACE FUNCTION darkroom_roll_up_v1(
    max_minutes integer DEFAULT 60, OUT rolled bigint, OUT up_to timestamptz
)
    LANGUAGE sql
AS $$
    SELECT rolled, up_to FROM darkroom_roll_up_v2(max_minutes)
$$;
