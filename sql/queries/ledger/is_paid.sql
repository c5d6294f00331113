-- Whether a purpose of a subject was paid for.
SELECT EXISTS (
    SELECT FROM ledger
    WHERE owner_id = :owner_id AND subject = :subject AND purpose = :purpose AND entry = 'capture'
)
