-- Delete some answers older than :seconds; answers how many.
WITH gone AS (
    DELETE FROM provider_answers
    WHERE answer_key = ANY(ARRAY(
        SELECT answer_key FROM provider_answers
        WHERE created_at < now() - make_interval(secs => :seconds)
        ORDER BY created_at
        LIMIT :size FOR UPDATE SKIP LOCKED
    ))
    RETURNING answer_key
)
SELECT count(*) FROM gone
