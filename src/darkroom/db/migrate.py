"""Applies `sql/migrations` and `sql/functions`, forward only, with yoyo-migrations.

Function files are versioned by name (`…_v1.sql`) and never edited once released, so that an old
process and a new schema get on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from yoyo import get_backend, read_migrations
from yoyo.backends import DatabaseBackend
from yoyo.migrations import MigrationList

from darkroom.db.sessions import sqlalchemy_url
from darkroom.settings import ROOT

# Any number will do, as long as every Darkroom that shares the database takes the same.
LOCK_KEY = 0x6461726B


@dataclass(frozen=True)
class MigrationStatus:
    """What is applied, and what `migrate` would apply, by name and in order."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]


def migrate(database_url: str) -> list[str]:
    """Apply what is missing and return the names applied. Safe from several processes at once."""
    with _only_one(database_url), _backend(database_url) as backend:
        # Whoever held yoyo's own lock is gone: we hold the advisory one, which dies with us.
        backend.break_lock()
        with backend.lock():
            pending = backend.to_apply(_files())
            backend.apply_migrations(pending)
        return [migration.id for migration in pending]


def status(database_url: str) -> MigrationStatus:
    """Compare the database with the files of this checkout."""
    with _backend(database_url) as backend:
        files = _files()
        pending = [migration.id for migration in backend.to_apply(files)]
    applied = [migration.id for migration in files if migration.id not in pending]
    return MigrationStatus(tuple(applied), tuple(pending))


def _files() -> MigrationList:
    return read_migrations(str(ROOT / "sql" / "migrations"), str(ROOT / "sql" / "functions"))


@contextmanager
def _backend(database_url: str) -> Iterator[DatabaseBackend]:
    backend = get_backend(sqlalchemy_url(database_url))
    try:
        yield backend
    finally:
        backend.connection.close()


@contextmanager
def _only_one(database_url: str) -> Iterator[None]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        yield
