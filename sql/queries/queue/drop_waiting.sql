-- Cancel a run's jobs that nobody has fetched; answers how many.
SELECT darkroom_drop_waiting_v2(:run_id)
