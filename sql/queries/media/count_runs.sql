-- How the runs of the last day stand, by pipeline.
SELECT pipeline, status, count(*) AS runs
FROM runs
WHERE created_at > now() - interval '1 day'
GROUP BY pipeline, status
ORDER BY pipeline, status
