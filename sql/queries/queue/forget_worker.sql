-- Remove a worker that has given back all its steps.
WITH described AS (DELETE FROM worker_lanes WHERE worker_id = %(worker_id)s)
DELETE FROM procrastinate_workers WHERE id = %(worker_id)s
