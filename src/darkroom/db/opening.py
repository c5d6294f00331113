"""Finds the database of an installation: the one named in the settings, or the embedded one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from darkroom.db import embedded, migrate
from darkroom.db.sessions import Database
from darkroom.errors import Permanent
from darkroom.settings import Settings


def quietly(_text: str) -> None:
    """Say nothing."""


@contextmanager
def database_url(settings: Settings, say: Callable[[str], None] = quietly) -> Iterator[str]:
    """The libpq URL inside the block; an embedded server runs at least that long."""
    if settings.database_url:
        yield settings.database_url
        return
    with embedded.running(settings.home / "postgres", say=say) as url:
        yield url


@contextmanager
def open_database(settings: Settings, pool_size: int = 10) -> Iterator[Database]:
    """The migrated database of this installation.

    Raises
    ------
    Permanent
        When its schema is behind this checkout.
    """
    with database_url(settings) as url:
        pending = migrate.status(url).pending
        if pending:
            raise Permanent(
                f"In the database {migrate.missing(pending)}. Run `darkroom db migrate`."
            )
        database = Database(url, pool_size)
        try:
            yield database
        finally:
            database.close()
