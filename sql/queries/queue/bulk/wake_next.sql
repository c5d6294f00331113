-- Of each lock that these jobs carry, tell the lane of the job that comes first by now.
SELECT darkroom_wake_next_v1(l.lock)
FROM (
    SELECT DISTINCT lock FROM procrastinate_jobs WHERE id = ANY(:job_ids) AND lock IS NOT NULL
) l
