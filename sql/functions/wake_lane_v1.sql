-- Tell the workers of a lane that a job can be fetched, as procrastinate does on INSERT.
-- depends: 0004_engine

CREATE FUNCTION darkroom_wake_lane_v1(lane text)
    RETURNS void
    LANGUAGE sql
AS $$
    SELECT pg_notify('procrastinate_queue_v1#' || lane, '{"type": "job_inserted", "job_id": 0}')
$$;
