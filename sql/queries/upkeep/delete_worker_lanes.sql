-- Delete what was written of workers whose own rows are gone.
DELETE FROM worker_lanes
WHERE worker_id = ANY(ARRAY(
    SELECT l.worker_id FROM worker_lanes l
    WHERE l.started_at < now() - interval '1 day'
        AND NOT EXISTS (SELECT FROM procrastinate_workers w WHERE w.id = l.worker_id)
    LIMIT :size FOR UPDATE SKIP LOCKED
))
RETURNING NULL::uuid
