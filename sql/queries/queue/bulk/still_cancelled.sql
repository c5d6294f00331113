-- Those of the jobs that are cancelled and not running again since.
SELECT id FROM procrastinate_jobs
WHERE id = ANY(:job_ids) AND status IN ('cancelled', 'aborted')
ORDER BY id
