-- May what this attempt holds still be held?
-- depends: 0007_gates

CREATE FUNCTION darkroom_attempt_is_open_v1(lease bigint)
    RETURNS boolean
    LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (SELECT FROM attempts WHERE id = lease AND finished_at IS NULL)
$$;
