-- The mean confidence of the plants seen in a session; null without any.
SELECT avg(confidence) FROM detections WHERE session_id = :session_id
