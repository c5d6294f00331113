-- A job has let go of its procrastinate lock: tell the lane of the next one that waits for it.
-- depends: 0006_fairness wake_lane_v1

CREATE FUNCTION darkroom_wake_next_v1(of_lock text)
    RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off
AS $$
DECLARE
    next_lane text;
BEGIN
    SELECT j.queue_name INTO next_lane
    FROM procrastinate_jobs j
    WHERE j.status = 'todo' AND j.lock IS NOT NULL AND j.lock COLLATE "C" = of_lock
    ORDER BY j.lock COLLATE "C", -j.priority::bigint, j.id
    LIMIT 1;
    IF FOUND THEN
        PERFORM darkroom_wake_lane_v1(next_lane);
    END IF;
END;
$$;
