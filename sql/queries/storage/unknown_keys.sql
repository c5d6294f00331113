-- Which of the keys no asset of the bucket has.
SELECT k.key
FROM unnest(cast(:keys AS text[])) AS k(key)
WHERE NOT EXISTS (SELECT FROM assets a WHERE a.bucket = :bucket AND a.storage_key = k.key)
