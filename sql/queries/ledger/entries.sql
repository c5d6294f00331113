-- A user's entries, newest first, below an entry's number.
SELECT id, at, entry, amount, balance, reservation, purpose, subject, run_id, note, actor
FROM ledger
WHERE owner_id = :owner_id AND id < coalesce(CAST(:before AS bigint), 9223372036854775807)
ORDER BY id DESC
LIMIT :limit
