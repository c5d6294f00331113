-- Delete the places in line of jobs that wait no more.
DELETE FROM gate_waits
WHERE ctid = ANY(ARRAY(
    SELECT g.ctid FROM gate_waits g
    WHERE g.since < now() - interval '1 day'
        AND NOT EXISTS (
            SELECT FROM procrastinate_jobs j
            WHERE j.id = g.job_id AND j.status IN ('todo', 'doing')
        )
    LIMIT :size FOR UPDATE SKIP LOCKED
))
RETURNING NULL::uuid
