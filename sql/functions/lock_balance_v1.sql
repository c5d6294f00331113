-- What a user has, and nobody else changes until this transaction ends.
-- depends: 0019_ledger open_account_v1

CREATE FUNCTION darkroom_lock_balance_v1(of_owner integer, start bigint)
    RETURNS bigint
    LANGUAGE plpgsql
AS $$
DECLARE
    there bigint;
BEGIN
    PERFORM darkroom_open_account_v1(of_owner, start);
    SELECT tokens INTO there FROM balances WHERE owner_id = of_owner FOR NO KEY UPDATE;
    RETURN there;
END;
$$;
