-- Delete what procrastinate's own periodic tasks left behind; the newest of each stays.
DELETE FROM procrastinate_periodic_defers
WHERE id = ANY(ARRAY(
    SELECT p.id FROM procrastinate_periodic_defers p
    WHERE p.job_id IS NULL
        AND p.defer_timestamp < extract(epoch FROM now() - interval '1 day')
        AND EXISTS (
            SELECT FROM procrastinate_periodic_defers q
            WHERE q.task_name = p.task_name
                AND q.periodic_id = p.periodic_id
                AND q.defer_timestamp > p.defer_timestamp
        )
    LIMIT :size FOR UPDATE SKIP LOCKED
))
RETURNING NULL::uuid
