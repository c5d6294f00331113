-- The server's clock and version, the database's size, and where its files lie (null: not ours to know).
SELECT
    clock_timestamp() AS clock,
    current_setting('server_version') AS version,
    pg_database_size(current_database()) AS bytes,
    CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
        THEN current_setting('data_directory')
    END AS folder
