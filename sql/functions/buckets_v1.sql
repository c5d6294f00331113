-- The lower bounds, in seconds, of the buckets of latency histograms: 0, 1 ms, 2 ms, 4 ms ... 2.3 h.
-- width_bucket(seconds, darkroom_buckets_v1()) is a value's bucket, 1 to 25; the last is open.
-- depends: 0009_rollups

CREATE FUNCTION darkroom_buckets_v1()
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT ARRAY[
        0, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048,
        4.096, 8.192, 16.384, 32.768, 65.536, 131.072, 262.144, 524.288, 1048.576, 2097.152,
        4194.304, 8388.608
    ]::double precision[]
$$;
