-- Close a reservation: 'capture' pays it for good, 'release' gives the tokens back. Answers what it
-- was before: open (it is closed now), paid or released (nothing is done), null when there is none.
-- depends: 0019_ledger

CREATE FUNCTION darkroom_close_reservation_v1(which uuid, how text)
    RETURNS text
    LANGUAGE plpgsql
AS $$
DECLARE
    held ledger;
    state_before text;
BEGIN
    SELECT * INTO held FROM ledger WHERE reservation = which AND entry = 'reserve';
    PERFORM FROM balances WHERE owner_id = held.owner_id FOR NO KEY UPDATE;
    SELECT state INTO state_before FROM reservations WHERE id = which;
    IF state_before = 'open' THEN
        INSERT INTO ledger (owner_id, entry, amount, reservation, purpose, subject, run_id)
        VALUES (
            held.owner_id, how, CASE how WHEN 'release' THEN -held.amount ELSE 0 END,
            which, held.purpose, held.subject, held.run_id
        );
    END IF;
    RETURN state_before;
END;
$$;
