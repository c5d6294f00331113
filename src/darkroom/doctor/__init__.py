"""Examines a live installation: what works, what does not, and what to do about it.

It changes nothing but for a small file that it puts into the store and removes again, and looks at
the same dashboards (`sql/dashboards`) that the console shows.
"""

from collections.abc import Iterator

import psycopg

from darkroom.db.opening import database_url
from darkroom.db.sessions import Database
from darkroom.doctor import engine, machine, providers, schema, server
from darkroom.doctor.findings import Finding, fail
from darkroom.errors import DarkroomError
from darkroom.settings import Settings

CONNECT_SECONDS = 5
WHERE = "Check DATABASE_URL, and that the server runs and may be reached from here."


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; what cannot be looked at is a finding, never an error."""
    return [*machine.examine(settings), *_database(settings)]


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        with database_url(settings) as url:
            psycopg.connect(url, connect_timeout=CONNECT_SECONDS).close()
            yield from _connected(settings, url)
    except (psycopg.OperationalError, DarkroomError) as error:
        said = " ".join(str(error).split())
        yield fail("database", f"It does not answer: {said}", WHERE)


def _connected(settings: Settings, url: str) -> Iterator[Finding]:
    yield from server.examine(url)
    of_schema = schema.examine(url)
    yield from of_schema
    # The questions below are about tables that an older schema may not have.
    if any(finding.level == "fail" for finding in of_schema):
        return
    database = Database(url, pool_size=2)
    try:
        yield from engine.examine(database)
        yield from machine.examine_store(settings, database)
        yield from providers.examine(settings, database)
    finally:
        database.close()
