-- Estimations of a photo, streamed in.
COPY estimations (
    session_id, image_id, container_id, band_number, band_y_start, band_y_end, estimated_count,
    estimated_unbiased, area_pixels, avg_plant_area_px, calculation_method, estimation_confidence,
    vegetation_polygon, area_before_suppression, area_after_suppression
) FROM STDIN
