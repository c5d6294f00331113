-- Take what a call to the outside needs; a row says why not.
SELECT kind, gate, until, reason, facts
FROM darkroom_enter_call_v2(
    :call, :lease, :provider, :operation, :pace, :estimate, CAST(:rules AS jsonb), :at
)
