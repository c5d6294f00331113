-- How many runs finished before their time, how many of them stay as other rows need them, and how
-- many steps they have.
WITH old AS MATERIALIZED (
    SELECT id FROM runs
    WHERE steps_deleted_at IS NULL
        AND open_steps = 0
        AND (
            (status = 'failed') = false AND finished_at < :finished_before
            OR (status = 'failed') = true AND finished_at < :failed_before
        )
),
kept AS (
    SELECT count(DISTINCT id) AS runs
    FROM darkroom_referenced_v1('runs', (SELECT array_agg(id) FROM old), '{steps,fan_ins}') AS k(id)
)
SELECT
    (SELECT count(*) FROM old) - (SELECT runs FROM kept) AS runs,
    (SELECT runs FROM kept) AS runs_kept,
    (SELECT count(*) FROM old JOIN steps s ON s.run_id = old.id) AS steps
