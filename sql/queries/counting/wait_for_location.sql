-- Say of a run's step that was put off that it waits for somebody to choose a location.
UPDATE steps s
SET waiting_kind = 'location', waiting_for = 'waits for a location to be chosen'
FROM procrastinate_jobs j
WHERE s.run_id = :run_id AND s.name = 'counting.locate'
    AND j.id = s.job_id AND j.status = 'todo'
