-- How many attempts ended, minute by minute, and how many of them badly?
-- The last hour; another stretch with SET darkroom.minutes = 1440. Longer ones in up to 60 parts.
--
-- minute            the part's beginning
-- ended             attempts that ended in it
-- succeeded         … well
-- failed            … badly, for good
-- retried           … badly, to be tried again (lost workers among them)
-- given_back        … without having done anything: a gate was closed, a worker left, a run was cancelled
-- per_minute        ended, a minute
-- failure_fraction  of those that ended well or badly, how many badly (0 to 1); empty when none ended
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
    SELECT m.minute, m.outcome, m.attempts
    FROM attempt_minutes m
    WHERE m.minute >= (SELECT since FROM parts) AND (SELECT minutes FROM asked) <= 600
    UNION ALL
    SELECT t.minute, t.outcome, t.attempts
    FROM attempt_tens t
    WHERE t.minute >= (SELECT since FROM parts) AND (SELECT minutes FROM asked) > 600
    UNION ALL
    SELECT u.minute, u.outcome, count(*)
    FROM attempts_unrolled u
    WHERE u.minute >= (SELECT since FROM parts)
    GROUP BY u.minute, u.outcome
),
summed AS (
    SELECT
        date_bin(p.width, e.minute, timestamptz '2000-01-01Z') AS minute,
        sum(attempts) AS ended,
        coalesce(sum(attempts) FILTER (WHERE outcome = 'succeeded'), 0) AS succeeded,
        coalesce(sum(attempts) FILTER (WHERE outcome = 'failed'), 0) AS failed,
        coalesce(sum(attempts) FILTER (WHERE outcome IN ('retried', 'lost')), 0) AS retried,
        coalesce(sum(attempts) FILTER (WHERE outcome IN ('given_back', 'cancelled')), 0)
            AS given_back
    FROM ended e
    CROSS JOIN parts p
    GROUP BY 1
)
SELECT
    part.minute,
    coalesce(s.ended, 0)::bigint AS ended,
    coalesce(s.succeeded, 0)::bigint AS succeeded,
    coalesce(s.failed, 0)::bigint AS failed,
    coalesce(s.retried, 0)::bigint AS retried,
    coalesce(s.given_back, 0)::bigint AS given_back,
    round(coalesce(s.ended, 0) / (extract(epoch FROM p.width) / 60), 1) AS per_minute,
    round((s.failed + s.retried) / nullif(s.succeeded + s.failed + s.retried, 0), 4)
        AS failure_fraction
FROM parts p
CROSS JOIN LATERAL generate_series(p.since, now(), p.width) AS part (minute)
LEFT JOIN summed s ON s.minute = part.minute
ORDER BY part.minute DESC
