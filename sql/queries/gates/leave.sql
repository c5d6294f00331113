-- Give back what a call held, and say how it ended.
SELECT darkroom_leave_call_v1(:call, :outcome, :said, CAST(:rules AS jsonb), :at)
