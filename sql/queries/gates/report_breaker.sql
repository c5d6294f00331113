-- Tell a breaker how a call ended; answers its state.
SELECT darkroom_report_breaker_v1(
    :provider, :operation, :call, :outcome, :said, CAST(:rules AS jsonb), :at
)
