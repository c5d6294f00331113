-- Tokens: what each person has, and the ledger that says why. Entries are only ever added.
-- depends: 0017_catalog

-- The sum of the owner's entries; only they change it. Without a row the account is not open yet.
CREATE TABLE balances (
    owner_id integer PRIMARY KEY REFERENCES users,
    tokens bigint NOT NULL DEFAULT 0 CONSTRAINT balances_never_negative CHECK (tokens >= 0)
);

CREATE SEQUENCE ledger_id_seq;

-- `amount` is signed: a reservation takes, a release gives the same back, a capture (it is paid for
-- good) moves nothing. Uploads and runs may be cleaned away one day; their entries stay.
CREATE TABLE ledger (
    id bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    owner_id integer NOT NULL REFERENCES balances,
    entry text NOT NULL CHECK (entry IN ('grant', 'reserve', 'capture', 'release')),
    amount bigint NOT NULL,
    -- What the owner has after it.
    balance bigint NOT NULL,
    -- Which reservation is made or closed.
    reservation uuid,
    -- What for: 'unlock', 'upscale' and so on; of grants 'start' (the first) or 'grant'.
    purpose text NOT NULL CHECK (purpose <> ''),
    -- What it is paid for: an upload.
    subject uuid,
    run_id uuid,
    note text NOT NULL DEFAULT '',
    -- Who granted; null where a program entered it.
    actor text,
    CHECK ((entry = 'grant') = (purpose IN ('start', 'grant'))),
    CHECK ((entry = 'grant') = (reservation IS NULL)),
    CHECK ((entry = 'grant') = (subject IS NULL)),
    CHECK (
        CASE entry
            WHEN 'grant' THEN amount <> 0 OR purpose = 'start'
            WHEN 'reserve' THEN amount <= 0
            WHEN 'capture' THEN amount = 0
            ELSE amount >= 0
        END
    )
);
ALTER SEQUENCE ledger_id_seq OWNED BY ledger.id;
CREATE INDEX ledger_owner_idx ON ledger (owner_id, id);
CREATE INDEX ledger_run_idx ON ledger (run_id) WHERE entry = 'reserve';
CREATE INDEX ledger_subject_idx ON ledger (owner_id, subject, purpose) WHERE entry = 'reserve';
CREATE UNIQUE INDEX ledger_start_idx ON ledger (owner_id) WHERE purpose = 'start';
CREATE UNIQUE INDEX ledger_reserved_idx ON ledger (reservation) WHERE entry = 'reserve';
CREATE UNIQUE INDEX ledger_closed_idx ON ledger (reservation)
    WHERE entry IN ('capture', 'release');
CREATE UNIQUE INDEX ledger_paid_idx ON ledger (owner_id, subject, purpose)
    WHERE entry = 'capture';

CREATE VIEW reservations AS
SELECT
    made.reservation AS id,
    made.owner_id,
    made.purpose,
    made.subject,
    made.run_id,
    -made.amount AS amount,
    CASE closed.entry WHEN 'capture' THEN 'paid' WHEN 'release' THEN 'released' ELSE 'open' END
        AS state,
    made.at,
    closed.at AS closed_at
FROM ledger made
LEFT JOIN ledger closed
    ON closed.reservation = made.reservation AND closed.entry IN ('capture', 'release')
WHERE made.entry = 'reserve';

-- Everything that happens to an owner's tokens stands in line at their balance. Numbers and times
-- are given behind it, so that in their order each balance follows from the one before.
CREATE FUNCTION darkroom_count_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE balances SET tokens = tokens + NEW.amount
    WHERE owner_id = NEW.owner_id
    RETURNING tokens INTO NEW.balance;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'User % has no open account.', NEW.owner_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_owner_id_fkey',
                HINT = 'Open it with darkroom_open_account_v1.';
    END IF;
    NEW.id := nextval('ledger_id_seq');
    NEW.at := clock_timestamp();
    RETURN NEW;
END;
$$;
CREATE TRIGGER ledger_counted BEFORE INSERT ON ledger
    FOR EACH ROW EXECUTE FUNCTION darkroom_count_entry();

-- After `ledger_counted`, by name: others of the same owner wait by now.
CREATE FUNCTION darkroom_check_reservation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.entry = 'reserve' AND EXISTS (
        SELECT FROM reservations r
        WHERE r.owner_id = NEW.owner_id AND r.subject = NEW.subject AND r.purpose = NEW.purpose
            AND r.state <> 'released'
    ) THEN
        RAISE EXCEPTION 'The % of % is reserved or paid already.', NEW.purpose, NEW.subject
            USING ERRCODE = 'unique_violation', CONSTRAINT = TG_NAME;
    END IF;
    IF NEW.entry <> 'reserve' AND NOT EXISTS (
        SELECT FROM reservations r
        WHERE r.id = NEW.reservation AND r.owner_id = NEW.owner_id AND r.subject = NEW.subject
            AND r.purpose = NEW.purpose AND (NEW.entry = 'capture' OR r.amount = NEW.amount)
    ) THEN
        RAISE EXCEPTION 'A % must be of a reservation, and like it.', NEW.entry
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER ledger_reservation_checked BEFORE INSERT ON ledger
    FOR EACH ROW WHEN (NEW.entry <> 'grant') EXECUTE FUNCTION darkroom_check_reservation();

CREATE FUNCTION darkroom_refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the ledger is only ever added to.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Enter a grant that sets it right.';
END;
$$;
CREATE TRIGGER ledger_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION darkroom_refuse_rewriting();
-- Deeper down it is an entry that counts.
CREATE TRIGGER balances_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON balances
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION darkroom_refuse_rewriting();
CREATE TRIGGER balances_begin_empty BEFORE INSERT ON balances
    FOR EACH ROW WHEN (NEW.tokens <> 0) EXECUTE FUNCTION darkroom_refuse_rewriting();
