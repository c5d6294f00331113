-- How many jobs that belong to no run ended before their time.
SELECT count(*)
FROM procrastinate_jobs j
LEFT JOIN steps s ON s.job_id = j.id
WHERE s.run_id IS NULL
    AND j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
    AND coalesce(
        s.finished_at,
        (SELECT max(a.finished_at) FROM attempts a WHERE a.job_id = j.id),
        (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id),
        s.created_at
    ) < CASE j.status WHEN 'failed' THEN cast(:failed_before AS timestamptz) ELSE :finished_before END
