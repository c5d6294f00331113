-- Whether the post's lock is this connection's now; it is held as long as the connection lives.
SELECT pg_try_advisory_lock(hashtextextended(%(place)s, 0))
