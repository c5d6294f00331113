-- Say which lane of which process a worker row is.
INSERT INTO worker_lanes (worker_id, name, lane, slots, stale_seconds)
VALUES (%(worker_id)s, %(name)s, %(lane)s, %(slots)s, %(stale_seconds)s)
-- Again, when the connection was lost before the answer came.
ON CONFLICT (worker_id) DO NOTHING
