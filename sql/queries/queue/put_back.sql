-- Say why a step that was put back waits, or drop it with its run.
SELECT darkroom_put_back_v2(:job_id, :kind, :gate, :reason)
