-- The average that follows: what is usual, after one more that took so long.
-- depends: 0007_gates

CREATE FUNCTION darkroom_typical_v1(typical double precision, took interval)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN typical = 0 THEN extract(epoch FROM took)::double precision
        ELSE 0.8 * typical + 0.2 * extract(epoch FROM took)::double precision
    END
$$;
