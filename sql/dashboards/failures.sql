-- What goes wrong most: attempts that ended badly, by class and shape of their message?
-- The last hour; another stretch with SET darkroom.minutes = 1440.
--
-- task, error_class
-- shape                the message without what differs from case to case: numbers, ids, addresses, paths
-- attempts, steps      how many attempts, of how many steps
-- failed               how many of them were the last one: the step failed for good
-- first_at, last_at
-- example_job_id       the newest
-- example              its message
--
-- Cost: the newest 2 000 attempts that ended badly, by an index that holds only those, and the job of
-- each, looked up one by one: how few they are no plan knows.
WITH wrong AS (
    SELECT *
    FROM attempts
    WHERE error_class IS NOT NULL
        AND finished_at >= now() - make_interval(
            mins => coalesce(nullif(current_setting('darkroom.minutes', true), ''), '60')::int
        )
    ORDER BY finished_at DESC, id DESC
    LIMIT 2000
),
shaped AS (
    SELECT
        j.task_name AS task,
        w.error_class,
        w.job_id,
        w.outcome,
        w.finished_at,
        left(w.error_message, 300) AS message,
        darkroom_message_shape_v1(w.error_message) AS shape
    FROM wrong w
    CROSS JOIN LATERAL (SELECT task_name FROM procrastinate_jobs WHERE id = w.job_id LIMIT 1) j
)
SELECT
    task,
    error_class,
    shape,
    count(*) AS attempts,
    count(DISTINCT job_id) AS steps,
    count(*) FILTER (WHERE outcome = 'failed') AS failed,
    min(finished_at) AS first_at,
    max(finished_at) AS last_at,
    (array_agg(job_id ORDER BY finished_at DESC))[1] AS example_job_id,
    (array_agg(message ORDER BY finished_at DESC))[1] AS example
FROM shaped
GROUP BY task, error_class, shape
ORDER BY attempts DESC, last_at DESC
LIMIT 200
