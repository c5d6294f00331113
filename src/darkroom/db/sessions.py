"""The SQLAlchemy engine and its sessions, on psycopg 3."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from darkroom.db.connections import Connection, conninfo


class Base(DeclarativeBase):
    """Base of every mapped table; the tables themselves are made by `sql/migrations`."""


def sqlalchemy_url(database_url: str) -> str:
    """The same database for SQLAlchemy: its psycopg 3 dialect, whatever the scheme given."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    return url.render_as_string(hide_password=False)


class Database:
    """One database: sessions from a pool, and a bare connection for LISTEN.

    Parameters
    ----------
    url
        A libpq URL such as `postgresql://user:password@host/name`.
    pool_size
        Connections kept open; twice as many may be open at once.
    """

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = url
        self._conninfo = conninfo(url)
        self.engine: Engine = create_engine(
            sqlalchemy_url(url),
            creator=lambda: Connection.connect(self._conninfo),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session in a transaction of its own: committed at the end, rolled back on error."""
        with self._sessions.begin() as session:
            yield session

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection outside the pool, in autocommit (for LISTEN)."""
        return Connection.connect(self._conninfo, autocommit=True)

    def close(self) -> None:
        """Give all pooled connections back to the server."""
        self.engine.dispose()


def driver(session: Session) -> psycopg.Connection[tuple[Any, ...]]:
    """The psycopg connection under a session's transaction (COPY, procrastinate's defer)."""
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(f"expected a psycopg connection, not {type(connection).__name__}")
    return connection
