-- Take a chore that was last done so many seconds ago or longer, for the rest of the transaction;
-- answers its name, nothing while somebody else has it or has done it.
UPDATE chores
SET done_at = now()
WHERE name = (
    SELECT name FROM chores
    WHERE name = :name AND done_at <= now() - make_interval(secs => :seconds)
    FOR UPDATE SKIP LOCKED
)
RETURNING name
