-- Cancel a run's jobs that nobody has fetched; answers how many.
WITH dropped AS (
    UPDATE procrastinate_jobs j
    SET status = 'cancelled'
    FROM steps s
    WHERE s.job_id = j.id AND s.run_id = :run_id AND j.status = 'todo'
    RETURNING j.id
)
SELECT count(*) FROM dropped
