-- How the children ended that a step is the callback of, in the order they were enqueued.
SELECT s.job_id, s.name, s.label, j.args, s.error IS NULL AS ok,
    coalesce(s.result, '{}') AS result, coalesce(s.error, '{}') AS error
FROM steps me
JOIN steps s ON s.fan_in_id = me.callback_of
JOIN procrastinate_jobs j ON j.id = s.job_id
WHERE me.job_id = :job_id
ORDER BY s.job_id
