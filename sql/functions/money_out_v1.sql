-- What was spent today (UTC), and what calls in flight have reserved: of a provider, and of an owner
-- over all providers. One statement, so that money on its way from one to the other is seen once.
-- depends: 0007_gates

CREATE FUNCTION darkroom_money_out_v1(
    of_provider text, of_owner integer, at timestamptz,
    OUT spent numeric, OUT reserved numeric, OUT owner_spent numeric, OUT owner_reserved numeric
)
    LANGUAGE sql STABLE
AS $$
    SELECT
        (
            SELECT coalesce(sum(amount), 0) FROM spending
            WHERE day = (at AT TIME ZONE 'UTC')::date AND provider = of_provider
        ),
        (SELECT coalesce(sum(p.reserved), 0) FROM permits p WHERE p.provider = of_provider),
        (
            SELECT coalesce(sum(amount), 0) FROM spending
            WHERE day = (at AT TIME ZONE 'UTC')::date AND owner_id = of_owner
        ),
        (SELECT coalesce(sum(p.reserved), 0) FROM permits p WHERE coalesce(p.owner_id, 0) = of_owner)
$$;
