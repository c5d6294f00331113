-- May this attempt go on? 'held', 'lost' (another worker has the step) or 'cancelled'.
SELECT CASE
    WHEN a.finished_at IS NOT NULL THEN 'lost'
    WHEN r.cancel_requested_at IS NOT NULL OR r.status NOT IN ('pending', 'running') THEN 'cancelled'
    ELSE 'held'
END
FROM attempts a
LEFT JOIN steps s ON s.job_id = a.job_id
LEFT JOIN runs r ON r.id = s.run_id
WHERE a.id = :lease
