-- The processes that run models and live: where they are, what they hold, what they are at.
SELECT
    r.id,
    r.name,
    r.device,
    r.facts,
    r.models,
    r.started_at,
    r.beat_at,
    coalesce(d.holder_id = r.id, false) AS has_turn,
    CASE WHEN d.holder_id = r.id THEN d.held_since END AS held_since,
    coalesce(d.holder_id = r.id AND d.wanted_by IS NOT NULL, false) AS is_wanted,
    (
        SELECT coalesce(array_agg(j.task_name ORDER BY a.id), '{}')
        FROM attempts a
        JOIN procrastinate_jobs j ON j.id = a.job_id
        WHERE a.finished_at IS NULL AND a.worker = concat_ws(':', r.name, 'gpu')
    ) AS steps
FROM runtimes r
LEFT JOIN devices d ON d.name = r.device
WHERE r.beat_at > now() - make_interval(secs => r.stale_seconds)
ORDER BY r.device, r.started_at
