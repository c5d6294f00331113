-- Whether a cron job of these is due, or ended without having said so itself.
SELECT EXISTS (
    SELECT FROM crons c
    LEFT JOIN procrastinate_jobs j ON j.id = c.running_job_id
    WHERE c.name = ANY(:names)
        AND (
            c.next_at <= coalesce(:now, now())
            OR c.running_job_id IS NOT NULL AND (j.id IS NULL OR j.status NOT IN ('todo', 'doing'))
        )
)
