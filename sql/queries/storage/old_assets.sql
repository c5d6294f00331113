-- A page of the assets of a bucket that are older than the grace time, by id.
SELECT id
FROM assets
WHERE bucket = :bucket AND id > :after AND created_at < now() - make_interval(secs => :grace_seconds)
ORDER BY id
LIMIT :size
