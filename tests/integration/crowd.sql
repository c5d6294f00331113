-- A large nursery: 1 000 locations, 100 000 batches, 650 000 plants, 1 000 000 detections.
-- The figures are made by arithmetic, so that every run has the same.
INSERT INTO warehouses (code, name) VALUES ('W', 'Warehouse');
INSERT INTO storage_areas (warehouse_id, code, name) SELECT id, 'A', 'Area' FROM warehouses;
INSERT INTO storage_locations (storage_area_id, code, name)
SELECT a.id, 'L' || to_char(n, 'FM0000'), 'Bench ' || n
FROM storage_areas a, generate_series(1, 1000) n;
INSERT INTO products (code, name)
SELECT 'P' || to_char(n, 'FM00'), 'Product ' || n FROM generate_series(1, 20) n;

INSERT INTO runs (pipeline, title, owner_id)
SELECT 'counting', 'bench.jpg', u.id
FROM (SELECT min(id) AS id FROM users) u, generate_series(1, 20000);
INSERT INTO photo_processing_sessions
    (run_id, user_id, total_detected, total_estimated, counted_at, created_at)
SELECT id, owner_id, 5, 1, now(), now() - row_number() OVER () * interval '20 minutes' FROM runs;

-- Every row is right as it is made; to have triggers see to that would take minutes.
SET LOCAL session_replication_role = replica;
INSERT INTO stock_batches
    (batch_code, storage_location_id, product_id, product_state_id, processing_session_id,
    quantity_initial, quantity_current, created_by_user_id, created_at)
SELECT
    'LOC' || n % 1000 + 1 || '-' || n,
    n % 1000 + 1,
    (n + n / 1000 % 2) % 20 + 1,
    n / 25000 + 1,
    CASE WHEN n <= 20000 THEN n END,
    n % 12 + 1,
    n % 12 + 1 - CASE WHEN n % 12 > 0 AND n % 4 = 0 THEN 1 ELSE 0 END,
    u.id,
    now() - n * interval '5 minutes'
FROM (SELECT min(id) AS id FROM users) u, generate_series(100000, 1, -1) n
ORDER BY n DESC;
INSERT INTO stock_movements
    (batch_id, movement_type, source_type, quantity, is_first, user_id, created_at)
SELECT id, 'manual', 'manual', quantity_initial, true, created_by_user_id, created_at
FROM stock_batches;
INSERT INTO stock_movements
    (batch_id, movement_type, source_type, quantity, reason, user_id, created_at)
SELECT id, 'loss', 'manual', -1, 'Frost', created_by_user_id, created_at + interval '1 hour'
FROM stock_batches WHERE quantity_current < quantity_initial;

INSERT INTO assets (owner_id, sha256, mime, size_bytes, bucket, storage_key)
SELECT min(id), repeat('0', 64), 'image/jpeg', 1, 'local', 'original.jpg' FROM users;
INSERT INTO s3_images
    (session_id, position, filename, s3_bucket, s3_key_original, original_asset_id, content_type,
    file_size_bytes, width, height, uploaded_by_user_id, status, total_detected)
SELECT s.id, 1, 'bench.jpg', 'local', 'original.jpg', a.id, 'image/jpeg', 1, 4000, 3000,
    s.user_id, 'counted', 50
FROM photo_processing_sessions s, assets a;
INSERT INTO containers
    (session_id, image_id, number, container_type, is_segmented, polygon, total_detected,
    total_estimated, total_unbiased, total_buffered, standard_error, interval_low, interval_high,
    count_confidence, vegetation_fraction, is_empty_container, needs_review)
SELECT session_id, image_id, 1, 'box', true,
    '{"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 0]]]}', 50, 1, 51, 51, 1, 48,
    54, 0.9, 0.5, false, false
FROM s3_images;
INSERT INTO detections
    (session_id, image_id, container_id, center_x, center_y, width_px, height_px, confidence,
    class_name)
SELECT session_id, image_id, id, n * 50, n * 40, 30, 30, 0.8, 'plant'
FROM containers, generate_series(1, 50) n;
