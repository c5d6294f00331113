-- Why those of the jobs wait that do, in words.
SELECT job_id, reason, waits_on, until, why
FROM darkroom_why_waiting_v4(CAST(:job_ids AS bigint[]))
