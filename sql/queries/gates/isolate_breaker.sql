-- Hold a breaker open until it is reset.
SELECT darkroom_isolate_breaker_v1(:provider, :operation, :who, :reason)
