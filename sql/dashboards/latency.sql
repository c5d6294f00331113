-- How long do steps wait for their first start, and how long do they run, task by task?
-- The last hour and up to ten minutes more; another stretch with SET darkroom.minutes = 1440.
--
-- lane, task
-- started, wait_p50_seconds, wait_p95_seconds, wait_p99_seconds
--     first attempts that ended, and how long they had waited since they were asked for
-- succeeded, run_mean_seconds, run_p50_seconds, run_p95_seconds, run_p99_seconds
--     attempts that succeeded, and how long they took
--
-- Percentiles come from histograms whose buckets double in width: they lie within the right bucket,
-- and are interpolated inside it.
-- Cost: reads the rollups of ten minutes; the minutes not rolled up yet from the newest 20 000 attempts.
WITH asked AS (
    SELECT now() - make_interval(
        mins => coalesce(nullif(current_setting('darkroom.minutes', true), ''), '60')::int
    ) AS since
),
unrolled AS (
    SELECT lane, task, timed.kind, timed.seconds
    FROM attempts_unrolled u
    CROSS JOIN LATERAL (
        VALUES
            ('run', CASE WHEN u.outcome = 'succeeded' THEN u.run_seconds END),
            ('wait', u.wait_seconds)
    ) timed (kind, seconds)
    WHERE u.finished_at >= (SELECT since FROM asked) AND timed.seconds IS NOT NULL
),
measured AS (
    SELECT lane, task, kind, bucket, attempts, seconds
    FROM latency_minutes
    WHERE minute > (SELECT since FROM asked) - interval '10 min'
    UNION ALL
    SELECT lane, task, kind, width_bucket(seconds, darkroom_buckets_v1()), count(*), sum(seconds)
    FROM unrolled
    GROUP BY 1, 2, 3, 4
),
bucketed AS (
    SELECT lane, task, kind, bucket, sum(attempts) AS attempts, sum(seconds) AS seconds
    FROM measured
    GROUP BY lane, task, kind, bucket
),
stacked AS (
    SELECT
        *,
        sum(attempts) OVER (PARTITION BY lane, task, kind ORDER BY bucket) - attempts AS below,
        sum(attempts) OVER (PARTITION BY lane, task, kind) AS total,
        sum(seconds) OVER (PARTITION BY lane, task, kind) AS total_seconds
    FROM bucketed
),
quantiles AS (
    SELECT
        s.lane, s.task, s.kind, s.total, s.total_seconds, q.part,
        round((lower.bound + (upper.bound - lower.bound)
            * (q.part * s.total - s.below) / s.attempts)::numeric, 4) AS seconds
    FROM stacked s
    CROSS JOIN (VALUES (0.5), (0.95), (0.99)) q (part)
    CROSS JOIN LATERAL (SELECT (darkroom_buckets_v1())[s.bucket] AS bound) lower
    CROSS JOIN LATERAL (
        SELECT coalesce((darkroom_buckets_v1())[s.bucket + 1], 2 * lower.bound) AS bound
    ) upper
    WHERE s.below < q.part * s.total AND q.part * s.total <= s.below + s.attempts
)
SELECT
    lane,
    task,
    coalesce(max(total) FILTER (WHERE kind = 'wait'), 0)::bigint AS started,
    max(seconds) FILTER (WHERE kind = 'wait' AND part = 0.5) AS wait_p50_seconds,
    max(seconds) FILTER (WHERE kind = 'wait' AND part = 0.95) AS wait_p95_seconds,
    max(seconds) FILTER (WHERE kind = 'wait' AND part = 0.99) AS wait_p99_seconds,
    coalesce(max(total) FILTER (WHERE kind = 'run'), 0)::bigint AS succeeded,
    round((max(total_seconds / total) FILTER (WHERE kind = 'run'))::numeric, 4) AS run_mean_seconds,
    max(seconds) FILTER (WHERE kind = 'run' AND part = 0.5) AS run_p50_seconds,
    max(seconds) FILTER (WHERE kind = 'run' AND part = 0.95) AS run_p95_seconds,
    max(seconds) FILTER (WHERE kind = 'run' AND part = 0.99) AS run_p99_seconds
FROM quantiles
GROUP BY lane, task
ORDER BY lane, task
LIMIT 500
