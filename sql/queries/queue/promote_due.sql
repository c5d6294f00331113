-- Make jobs whose time has come fetchable.
SELECT darkroom_promote_due_v1(:max_jobs)
