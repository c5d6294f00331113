-- How many steps wait and run, by lane.
SELECT
    queue_name AS lane,
    count(*) FILTER (WHERE status = 'todo') AS waiting,
    count(*) FILTER (WHERE status = 'doing') AS running
FROM procrastinate_jobs
WHERE status IN ('todo', 'doing')
GROUP BY queue_name
ORDER BY queue_name
