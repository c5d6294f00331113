-- The runs of these jobs go on, with that many more steps open and their progress taken back.
WITH undone AS (
    SELECT s.run_id AS id, count(*) AS steps, sum(s.share * s.progress) AS progress
    FROM steps s
    WHERE s.job_id = ANY(:job_ids)
    GROUP BY s.run_id
)
UPDATE runs r
SET status = 'running', finished_at = NULL, error = NULL, cancel_requested_at = NULL,
    open_steps = r.open_steps + u.steps,
    progress = greatest(0, r.progress - u.progress)
FROM undone u
WHERE r.id = u.id
