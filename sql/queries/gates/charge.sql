-- Put on record what a provider took for a call.
SELECT darkroom_charge_call_v1(:call, :part, :lease, :provider, :operation, :amount, :at)
