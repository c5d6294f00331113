-- Delete the rollups of old minutes; answers how many rows. The totals since ever stay.
WITH attempts_forgotten AS (
    DELETE FROM attempt_minutes
    WHERE minute < now() - make_interval(secs => :seconds)
    RETURNING 1
),
tens_forgotten AS (
    DELETE FROM attempt_tens
    WHERE minute < now() - make_interval(secs => :seconds)
    RETURNING 1
),
latencies_forgotten AS (
    DELETE FROM latency_minutes
    WHERE minute < now() - make_interval(secs => :seconds)
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM attempts_forgotten) + (SELECT count(*) FROM tens_forgotten)
    + (SELECT count(*) FROM latencies_forgotten)
