-- How busy was each lane, minute by minute?
-- The last hour; another stretch with SET darkroom.minutes = 1440. Longer ones in up to 60 parts.
--
-- lane
-- minute               the part's beginning
-- ended, failed        attempts that ended in it, and those of them that ended badly
-- busy                 places in use on average: the running time of those attempts over that of the part
--
-- Cost: reads the rollups of a minute, or of ten for more than ten hours; what is not rolled up yet
-- from the newest 20 000 attempts.
WITH asked AS (
    SELECT coalesce(nullif(current_setting('darkroom.minutes', true), ''), '60')::int AS minutes
),
widths AS (
    SELECT minutes, CASE
        WHEN minutes <= 600 THEN ceil(minutes / 60.0)
        ELSE 10 * ceil(minutes / 600.0)
    END * interval '1 min' AS width
    FROM asked
),
parts AS (
    SELECT
        width,
        date_bin(width, now() - make_interval(mins => minutes), timestamptz '2000-01-01Z') AS since
    FROM widths
),
ended AS (
    SELECT lane, minute, outcome, attempts, run_seconds
    FROM attempt_minutes
    WHERE minute >= (SELECT since FROM parts) AND (SELECT minutes FROM asked) <= 600
    UNION ALL
    SELECT lane, minute, outcome, attempts, run_seconds
    FROM attempt_tens
    WHERE minute >= (SELECT since FROM parts) AND (SELECT minutes FROM asked) > 600
    UNION ALL
    SELECT lane, minute, outcome, count(*), sum(run_seconds)
    FROM attempts_unrolled
    WHERE minute >= (SELECT since FROM parts)
    GROUP BY lane, minute, outcome
),
summed AS (
    SELECT
        e.lane,
        date_bin(p.width, e.minute, timestamptz '2000-01-01Z') AS minute,
        sum(e.attempts) AS ended,
        sum(e.attempts) FILTER (WHERE e.outcome IN ('failed', 'retried', 'lost')) AS failed,
        sum(e.run_seconds) AS run_seconds
    FROM ended e
    CROSS JOIN parts p
    GROUP BY 1, 2
)
SELECT
    l.name AS lane,
    part.minute,
    coalesce(s.ended, 0)::bigint AS ended,
    coalesce(s.failed, 0)::bigint AS failed,
    round((coalesce(s.run_seconds, 0) / extract(epoch FROM p.width))::numeric, 2) AS busy
FROM lanes l
CROSS JOIN parts p
CROSS JOIN LATERAL generate_series(p.since, now(), p.width) AS part (minute)
LEFT JOIN summed s ON s.lane = l.name AND s.minute = part.minute
ORDER BY l.name, part.minute DESC
LIMIT 500
