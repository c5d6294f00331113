-- Which of these sessions the server is working for. One that waits for its client is not: either
-- has lost the other. Behind a pooler the server knows us by other numbers than we do (:me is the
-- asker's own); nothing can be said then, and all are.
SELECT asked.pid
FROM unnest(%(pids)s::integer[]) AS asked (pid)
LEFT JOIN pg_stat_activity a ON a.pid = asked.pid
WHERE pg_backend_pid() <> %(me)s
    OR (a.state = 'active' AND a.wait_event_type IS DISTINCT FROM 'Client')
