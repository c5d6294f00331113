-- The mean confidence of the plants that the model saw in a session; null without any.
SELECT avg(confidence) FROM detections WHERE session_id = :session_id AND source = 'model'
