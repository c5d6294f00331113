"""Postgres: the embedded launcher, engine and sessions, migrations, and the SQL files."""
