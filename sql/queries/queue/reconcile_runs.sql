-- Fail the runs that lost a step to somebody outside the engine; answers how many.
SELECT darkroom_reconcile_runs_v2()
