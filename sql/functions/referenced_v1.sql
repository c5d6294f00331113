-- Which rows of a table other tables refer to: those of the given ids that a foreign key from any
-- table but the `ignoring` ones points to. New tables protect what they refer to by themselves.
-- depends: 0006_fairness

CREATE FUNCTION darkroom_referenced_v1(target regclass, ids uuid[], ignoring regclass[])
    RETURNS SETOF uuid
    LANGUAGE plpgsql
    STABLE
AS $$
DECLARE
    referring record;
BEGIN
    FOR referring IN
        SELECT c.conrelid::regclass AS place, a.attname AS field
        FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND c.confrelid = target AND c.conrelid <> ALL(ignoring)
    LOOP
        RETURN QUERY EXECUTE format(
            'SELECT DISTINCT %I FROM %s WHERE %I = ANY($1)',
            referring.field, referring.place, referring.field
        ) USING ids;
    END LOOP;
END;
$$;
