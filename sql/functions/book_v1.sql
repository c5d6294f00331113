-- Put money on record: the charge, the run's cost, the day's sum. False, and nothing, when that part
-- of the call is on record already. Rows are taken in this order: permit, charge, run, spending.
-- depends: 0007_gates

CREATE FUNCTION darkroom_book_v1(
    call uuid, of_part integer, what permits, much numeric, booked_at timestamptz
)
    RETURNS boolean
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO charges
        (at, call_id, part, provider, operation, owner_id, run_id, job_id, attempt_id, amount)
    VALUES (
        booked_at, call, of_part, what.provider, what.operation, what.owner_id, what.run_id,
        what.job_id, what.attempt_id, much
    )
    ON CONFLICT (call_id, part) DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE runs SET cost = cost + much WHERE id = what.run_id;
    INSERT INTO spending AS s (day, provider, owner_id, amount)
    VALUES (
        (booked_at AT TIME ZONE 'UTC')::date, what.provider, coalesce(what.owner_id, 0), much
    )
    ON CONFLICT (day, provider, owner_id) DO UPDATE SET amount = s.amount + excluded.amount;
    RETURN true;
END;
$$;
