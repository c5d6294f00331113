-- Take runs that finished before a time and still have their steps, oldest first.
SELECT id
FROM runs
WHERE (status = 'failed') = :failed
    AND finished_at < :before
    AND steps_deleted_at IS NULL
    AND open_steps = 0
ORDER BY finished_at
LIMIT :size
FOR UPDATE SKIP LOCKED
