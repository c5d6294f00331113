-- Runs whose steps are all gone lose their fan-ins, and are marked; answers their ids.
WITH bare AS MATERIALIZED (
    SELECT r.id FROM runs r
    WHERE r.id = ANY(:run_ids) AND NOT EXISTS (SELECT FROM steps s WHERE s.run_id = r.id)
),
fan_ins_gone AS (
    DELETE FROM fan_ins f USING bare b WHERE f.run_id = b.id
)
UPDATE runs r SET steps_deleted_at = now() FROM bare b WHERE r.id = b.id RETURNING r.id
