-- What a user has, in tokens. Who is asked about for the first time gets an account with the grant
-- that everybody begins with; of several that ask at once, one gives it and the others wait.
-- depends: 0019_ledger

CREATE FUNCTION darkroom_open_account_v1(of_owner integer, start bigint)
    RETURNS bigint
    LANGUAGE plpgsql
AS $$
DECLARE
    there bigint;
BEGIN
    SELECT tokens INTO there FROM balances WHERE owner_id = of_owner;
    IF NOT FOUND THEN
        INSERT INTO balances (owner_id) VALUES (of_owner) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            INSERT INTO ledger (owner_id, entry, amount, purpose)
            VALUES (of_owner, 'grant', start, 'start');
        END IF;
        SELECT tokens INTO there FROM balances WHERE owner_id = of_owner;
    END IF;
    RETURN there;
END;
$$;
