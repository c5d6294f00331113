-- What a job was asked to do, and its place in its run.
SELECT j.args, j.lock, j.queueing_lock, s.result, s.fan_in_id, s.callback_of, s.run_id
FROM procrastinate_jobs j
LEFT JOIN steps s ON s.job_id = j.id
WHERE j.id = :job_id
