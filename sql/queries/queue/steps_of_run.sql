-- A run's steps in the order they were enqueued, with the state people see.
--
-- Of more than :most (NULL: any number) those that run, and of the others equally many of each
-- state: what waits from the next on, all else from the newest on.
WITH placed AS (
    SELECT
        s.job_id,
        j.status = 'doing' AS is_running,
        row_number() OVER (
            PARTITION BY j.status
            ORDER BY
                CASE WHEN j.status = 'todo' THEN j.scheduled_at END NULLS FIRST,
                CASE WHEN j.status = 'todo' THEN s.job_id ELSE -s.job_id END
        ) AS place
    FROM steps s
    JOIN procrastinate_jobs j ON j.id = s.job_id
    WHERE s.run_id = :run_id
),
shown AS (
    SELECT job_id
    FROM placed
    ORDER BY is_running DESC, place, job_id
    LIMIT CAST(:most AS bigint)
)
SELECT
    s.job_id,
    s.name,
    s.label,
    CASE j.status
        WHEN 'todo' THEN CASE WHEN j.scheduled_at IS NULL THEN 'waiting' ELSE 'scheduled' END
        WHEN 'doing' THEN 'running'
        WHEN 'succeeded' THEN 'succeeded'
        WHEN 'failed' THEN 'failed'
        ELSE 'cancelled'
    END AS state,
    j.queue_name AS lane,
    s.progress,
    s.note,
    s.note_values,
    s.waiting_for,
    CASE WHEN j.status = 'todo' THEN j.scheduled_at END AS scheduled_at,
    s.error,
    s.created_at,
    s.finished_at,
    (SELECT count(*) FROM attempts a WHERE a.job_id = s.job_id) AS tries
FROM shown
JOIN steps s ON s.job_id = shown.job_id
JOIN procrastinate_jobs j ON j.id = s.job_id
ORDER BY s.job_id
