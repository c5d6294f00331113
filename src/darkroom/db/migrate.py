"""Applies `sql/migrations` and `sql/functions`, forward only, with yoyo-migrations.

Function files are versioned by name (`…_v1.sql`) and never edited once released, so that an old
process and a new schema get on.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from yoyo import get_backend, read_migrations
from yoyo.backends import DatabaseBackend
from yoyo.migrations import MigrationList

from darkroom.db.sessions import sqlalchemy_url
from darkroom.settings import ROOT

# Any number will do, as long as every Darkroom that shares the database takes the same.
LOCK_KEY = 0x6461726B
DEADLOCKS = 20
"""How often a migration gives way to workers that are at work before it gives up."""


@dataclass(frozen=True)
class MigrationStatus:
    """What is applied, and what `migrate` would apply, by name and in order."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]


@dataclass(frozen=True)
class Differences:
    """Where the database and the files of this checkout disagree, by name.

    `edited` files were changed after they had been applied; `foreign` ones were applied by another
    version of Darkroom and are not here.
    """

    edited: tuple[str, ...]
    foreign: tuple[str, ...]


def migrate(database_url: str) -> list[str]:
    """Apply what is missing and return the names applied. Safe from several processes at once."""
    with _only_one(database_url), _backend(database_url) as backend:
        # Whoever held yoyo's own lock is gone: we hold the advisory one, which dies with us.
        backend.break_lock()
        with backend.lock():
            pending = backend.to_apply(_files())
            _apply(backend)
        _note_checksums(database_url)
        return [migration.id for migration in pending]


def _apply(backend: DatabaseBackend) -> None:
    for tries in count(1):
        try:
            backend.apply_migrations(backend.to_apply(_files()))
            return
        except psycopg.errors.DeadlockDetected:
            # Workers go on meanwhile, and take the tables in another order. The file was undone.
            if tries == DEADLOCKS:
                raise


def missing(pending: Sequence[str]) -> str:
    """How many migrations are missing, and which is the first, in half a sentence."""
    if len(pending) == 1:
        return f"1 migration is missing ({pending[0]})"
    return f"{len(pending)} migrations are missing ({pending[0]} is the first)"


def status(database_url: str) -> MigrationStatus:
    """Compare the database with the files of this checkout."""
    with _backend(database_url) as backend:
        files = _files()
        pending = [migration.id for migration in backend.to_apply(files)]
    applied = [migration.id for migration in files if migration.id not in pending]
    return MigrationStatus(tuple(applied), tuple(pending))


def differences(database_url: str) -> Differences:
    """Compare what was applied to a migrated database with the files of this checkout."""
    present = _checksums()
    with psycopg.connect(database_url) as connection:
        noted = connection.execute("SELECT name, sha256 FROM migration_checksums").fetchall()
        applied = connection.execute("SELECT migration_id FROM _yoyo_migration").fetchall()
    edited = [name for name, sha256 in noted if present.get(name, sha256) != sha256]
    foreign = [name for (name,) in applied if name not in present]
    return Differences(tuple(sorted(edited)), tuple(sorted(foreign)))


def _note_checksums(database_url: str) -> None:
    """Keep what each file held when it was applied (or, for older ones, first seen)."""
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO migration_checksums (name, sha256) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            list(_checksums().items()),
        )


def _checksums() -> dict[str, str]:
    return {
        migration.id: hashlib.sha256(Path(migration.path).read_bytes()).hexdigest()
        for migration in _files()
    }


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
