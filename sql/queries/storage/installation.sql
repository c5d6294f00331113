-- What tells this database from every other, also from a copy of it.
SELECT system_identifier || '-' || (SELECT oid FROM pg_database WHERE datname = current_database())
FROM pg_control_system()
