-- Whether a job still waits or runs.
SELECT EXISTS (
    SELECT FROM procrastinate_jobs WHERE id = :job_id AND status IN ('todo', 'doing')
)
