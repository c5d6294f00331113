"""Which database errors pass by themselves."""

import psycopg
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError, TimeoutError

STATES = ("08", "57P", "53300", "25P03", "40")
"""SQLSTATEs of lost connections, servers that come or go, and transactions in one another's way."""


def passes(error: BaseException) -> bool:
    """Whether the same transaction may work in a moment: no connection, or others in its way.

    Not every `OperationalError` does: a value too large for its index stays too large.
    """
    if isinstance(error, TimeoutError):
        return True  # All connections of the pool were busy.
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # Procrastinate wraps what psycopg raises, as SQLAlchemy does.
    wrapped = isinstance(error, DBAPIError | ConnectorException)
    cause = error.__cause__ if wrapped else error
    if not isinstance(cause, psycopg.Error):
        return False
    if cause.sqlstate is None:
        return isinstance(cause, psycopg.OperationalError)
    return cause.sqlstate.startswith(STATES)
