-- Runs whose steps are all gone lose their fan-ins, and are marked; answers their ids. Whoever retries a
-- run takes its fan-ins before the run, which is ours already: a run with one that is held is left for
-- the next time.
WITH bare AS MATERIALIZED (
    SELECT r.id FROM runs r
    WHERE r.id = ANY(:run_ids) AND NOT EXISTS (SELECT FROM steps s WHERE s.run_id = r.id)
),
held AS MATERIALIZED (
    SELECT f.id, f.run_id FROM fan_ins f JOIN bare b ON b.id = f.run_id
    FOR UPDATE OF f SKIP LOCKED
),
free AS MATERIALIZED (
    SELECT b.id FROM bare b
    WHERE NOT EXISTS (
        SELECT FROM fan_ins f WHERE f.run_id = b.id AND f.id NOT IN (SELECT h.id FROM held h)
    )
),
fan_ins_gone AS (
    DELETE FROM fan_ins f USING free b WHERE f.run_id = b.id
)
UPDATE runs r SET steps_deleted_at = now() FROM free b WHERE r.id = b.id RETURNING r.id
