-- The transaction open for the longest time: until it ends, nothing deleted since can be cleaned away.
SELECT
    extract(epoch FROM clock_timestamp() - min(xact_start))::double precision AS seconds,
    (array_agg(pid ORDER BY xact_start))[1] AS pid,
    (array_agg(application_name ORDER BY xact_start))[1] AS application
FROM pg_stat_activity
WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'
