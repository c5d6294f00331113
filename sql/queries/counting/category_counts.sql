-- Plants seen in a session, by class.
SELECT class_name, count(*) AS plants
FROM detections
WHERE session_id = :session_id
GROUP BY class_name
ORDER BY class_name
