-- A delivery that failed waits for its next try without holding up those behind it.
WITH held AS (
    SELECT id, lock FROM procrastinate_jobs
    WHERE id = :job_id AND lock IS NOT NULL
    FOR UPDATE
),
freed AS (
    UPDATE procrastinate_jobs j SET lock = NULL FROM held h WHERE j.id = h.id RETURNING h.lock
)
SELECT darkroom_wake_next_v1(lock) FROM freed
