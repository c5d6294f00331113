-- Children that had been counted as failed are to be waited for again.
WITH counted AS (
    SELECT s.fan_in_id AS id, count(*) AS children
    FROM steps s
    WHERE s.job_id = ANY(:job_ids) AND s.error IS NOT NULL AND s.fan_in_id IS NOT NULL
    GROUP BY s.fan_in_id
)
UPDATE fan_ins f
SET pending = f.pending + c.children, failed = f.failed - c.children
FROM counted c
WHERE f.id = c.id
