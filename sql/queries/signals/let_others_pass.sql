-- A delivery that failed waits for its next try without holding up those behind it.
UPDATE procrastinate_jobs SET lock = NULL
WHERE id = :job_id AND lock IS NOT NULL
