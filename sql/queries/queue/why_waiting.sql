-- Why each of these jobs waits, one reason a job.
SELECT job_id, reason, waits_on, until, why
FROM darkroom_why_waiting_v4(CAST(:job_ids AS bigint[]))
