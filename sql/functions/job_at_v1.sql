-- The first job asked for at or after a moment, found by halving: ids rise with time, so that the
-- list of jobs needs no index on it. A job whose transaction began earlier may have a higher id:
-- leave a margin of the longest transaction. Above all jobs when none is that young.
-- depends: 0008_console

CREATE FUNCTION darkroom_job_at_v1(moment timestamptz)
    RETURNS bigint
    LANGUAGE plpgsql STABLE
AS $$
DECLARE
    low bigint;
    high bigint;
    middle bigint;
    met record;
BEGIN
    SELECT coalesce(min(job_id), 0), coalesce(max(job_id), 0) + 1 INTO low, high FROM steps;
    WHILE low < high LOOP
        middle := low + (high - low) / 2;
        SELECT s.job_id, s.created_at INTO met
        FROM steps s
        WHERE s.job_id >= middle AND s.job_id < high
        ORDER BY s.job_id
        LIMIT 1;
        IF NOT FOUND OR met.created_at >= moment THEN
            high := middle;
        ELSE
            low := met.job_id + 1;
        END IF;
    END LOOP;
    RETURN low;
END;
$$;
