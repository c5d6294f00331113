-- Ask a breaker for one call.
SELECT verdict, opens_at
FROM darkroom_take_breaker_v1(:provider, :operation, :call, :lease, :probe_seconds, :at)
