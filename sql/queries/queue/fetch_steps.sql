-- Lease due jobs of a lane to a worker, each with an open attempt.
SELECT * FROM darkroom_fetch_steps_v3(
    %(lane)s, %(worker_id)s, %(worker_name)s, %(max_jobs)s
)
