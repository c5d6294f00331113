-- Take the next number of a location, product and day; others who want one wait for our commit.
INSERT INTO batch_numbers AS n (storage_location_id, product_id, day, last_number)
VALUES (:location_id, :product_id, cast(now() AT TIME ZONE :zone AS date), 1)
ON CONFLICT (storage_location_id, product_id, day) DO UPDATE SET last_number = n.last_number + 1
RETURNING day, last_number
