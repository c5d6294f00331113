-- Clear away what closed attempts have left in flight; answers how much. Whether such a call was paid
-- for nobody knows: its estimate is put on record as if it was. Never waits for anybody's rows.
-- depends: 0007_gates attempt_is_open_v1 book_v1

CREATE FUNCTION darkroom_sweep_permits_v1(at timestamptz)
    RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    dead permits;
    swept integer := 0;
BEGIN
    FOR dead IN
        SELECT * FROM permits p
        WHERE NOT darkroom_attempt_is_open_v1(p.attempt_id)
        ORDER BY p.run_id
        LIMIT 100
        FOR UPDATE SKIP LOCKED
    LOOP
        IF dead.reserved > 0 THEN
            PERFORM FROM runs WHERE id = dead.run_id FOR NO KEY UPDATE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND AND EXISTS (SELECT FROM runs WHERE id = dead.run_id);
            PERFORM darkroom_book_v1(dead.call_id, 0, dead, dead.reserved, at);
        END IF;
        DELETE FROM permits WHERE call_id = dead.call_id;
        swept := swept + 1;
    END LOOP;
    RETURN swept;
END;
$$;
