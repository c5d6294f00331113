"""One question to the gates: one statement that is its own transaction.

Gates are locked only while the server answers, so a process that freezes can hold none.
"""

import logging
import threading
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import OperationalError, TimeoutError

from darkroom.db.sessions import Database
from darkroom.db.statements import statement

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
AWAY = (OperationalError, TimeoutError)


def ask(database: Database, query: str, **values: Any) -> Row[Any] | None:
    """The first row of the answer to `sql/queries/gates/<query>.sql`, or None."""
    with database.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        return alone.execute(statement(f"gates/{query}"), values).first()


def insist(stop: threading.Event, database: Database, query: str, **values: Any) -> Row[Any] | None:
    """Ask again and again while the database is away, until `stop` is set.

    The answer to a question may get lost after it took: only what can be asked twice is asked here.
    """
    while True:
        try:
            return ask(database, query, **values)
        except AWAY:
            log.warning("the gates do not answer %s; asking again", query, exc_info=True)
            if stop.wait(AGAIN_SECONDS):
                raise
