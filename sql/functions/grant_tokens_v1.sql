-- Give a user tokens, or take some. Answers whether that was done, and what they have now: more than
-- there is cannot be taken.
-- depends: 0019_ledger lock_balance_v1

CREATE FUNCTION darkroom_grant_tokens_v1(
    of_owner integer, tokens_given bigint, given_by text, why text, start bigint
)
    RETURNS TABLE (granted boolean, have bigint)
    LANGUAGE plpgsql
AS $$
BEGIN
    have := darkroom_lock_balance_v1(of_owner, start);
    granted := have + tokens_given >= 0;
    IF granted THEN
        INSERT INTO ledger (owner_id, entry, amount, purpose, note, actor)
        VALUES (of_owner, 'grant', tokens_given, 'grant', why, given_by)
        RETURNING balance INTO have;
    END IF;
    RETURN NEXT;
END;
$$;
