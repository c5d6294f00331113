-- What procrastinate noted of a job that its attempts do not tell.
SELECT type::text AS kind, at
FROM procrastinate_events
WHERE job_id = :job_id AND type IN ('deferred', 'cancelled', 'abort_requested', 'retried')
ORDER BY id DESC
LIMIT 200
