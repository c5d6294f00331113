-- Plants of each class in each container of a session, and the model's mean confidence in them.
SELECT
    c.id,
    c.container_type,
    c.total_estimated,
    d.class_name,
    count(*) AS plants,
    avg(d.confidence)::double precision AS confidence
FROM containers c
JOIN detections d ON d.container_id = c.id
WHERE c.session_id = :session_id
GROUP BY c.id, d.class_name
ORDER BY c.id, d.class_name
