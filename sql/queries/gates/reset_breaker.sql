-- Close a breaker by hand; false when there is none.
SELECT darkroom_reset_breaker_v1(:provider, :operation, :who)
