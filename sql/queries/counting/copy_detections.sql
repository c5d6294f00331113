-- Detections of a photo, streamed in.
COPY detections (
    session_id, image_id, container_id, center_x, center_y, width_px, height_px, confidence,
    class_name
) FROM STDIN
