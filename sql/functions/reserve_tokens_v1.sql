-- Set tokens of a user aside for something. Answers one of
--   new    they are set aside under `held`
--   open   they were before, for another click or tab: `held`, for the run `held_run`
--   paid   it is paid for: nothing is to be taken again
--   short  the user has less, `have`; nothing is set aside
-- depends: 0019_ledger lock_balance_v1

CREATE FUNCTION darkroom_reserve_tokens_v1(
    of_owner integer, price bigint, of_subject uuid, for_purpose text, for_run uuid, start bigint
)
    RETURNS TABLE (answer text, held uuid, held_amount bigint, held_run uuid, have bigint)
    LANGUAGE plpgsql
AS $$
BEGIN
    have := darkroom_lock_balance_v1(of_owner, start);
    SELECT r.state, r.id, r.amount, r.run_id INTO answer, held, held_amount, held_run
    FROM reservations r
    WHERE r.owner_id = of_owner AND r.subject = of_subject AND r.purpose = for_purpose
        AND r.state <> 'released';
    IF NOT FOUND AND price > have THEN
        answer := 'short';
    ELSIF NOT FOUND THEN
        answer := 'new';
        INSERT INTO ledger (owner_id, entry, amount, reservation, purpose, subject, run_id)
        VALUES (of_owner, 'reserve', -price, gen_random_uuid(), for_purpose, of_subject, for_run)
        RETURNING reservation, -amount, run_id, balance INTO held, held_amount, held_run, have;
    END IF;
    RETURN NEXT;
END;
$$;
