"""Connections to Postgres that notice when an answer will not come any more.

A network can lose a connection without closing it: a firewall forgets it, a proxy hangs. Much of
that the kernel finds out (keepalives, `tcp_user_timeout`), but not what a proxy in between goes on
acknowledging. So whoever has waited for an answer as long as that is asked after on a new
connection: if the server does not work for it, the old connection is cut, and its user sees it
lost. Long statements are left alone, and so are those who wait for notifications.
"""

import logging
import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from itertools import count
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import Row

from darkroom.db.statements import raw

log = logging.getLogger(__name__)
T = TypeVar("T")

# A worker that freezes inside a transaction must not keep its rows locked for ever.
OPTIONS = "-c idle_in_transaction_session_timeout=30s"
PARAMETERS = {
    "connect_timeout": "10",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""What libpq is told unless the URL says otherwise."""

INTERVAL = 0.1
LOOK_SECONDS = 1.0
ASK_SECONDS = 10.0


def conninfo(database_url: str) -> str:
    """The URL as a libpq connection string, with `PARAMETERS` where it does not name its own."""
    _, _, rest = database_url.partition("://")
    given = conninfo_to_dict(f"postgresql://{rest}")
    options = f"{OPTIONS} {given.get('options') or ''}".strip()
    return make_conninfo("", **{**PARAMETERS, **given, "options": options})


class Connection(psycopg.Connection[Row]):
    """A psycopg connection whose waits are watched."""

    def wait(self, gen: PQGen[T], interval: float = INTERVAL, timeout: float | None = None) -> T:
        """Wait for the server, as psycopg does."""
        number = _watch.begin(self)
        try:
            return super().wait(gen, interval, timeout)
        finally:
            _watch.end(number)


class AsyncConnection(psycopg.AsyncConnection[Row]):
    """The same in an event loop."""

    async def wait(
        self, gen: PQGen[T], interval: float = INTERVAL, timeout: float | None = None
    ) -> T:
        """Wait for the server, as psycopg does."""
        number = _watch.begin(self)
        try:
            return await super().wait(gen, interval, timeout)
        finally:
            _watch.end(number)


class _Asker(psycopg.Connection[Row]):
    """A connection that gives up by itself: nobody watches the watch."""

    def wait(self, gen: PQGen[T], interval: float = INTERVAL, timeout: float | None = None) -> T:
        return super().wait(gen, interval, timeout=ASK_SECONDS)


Watched = psycopg.Connection[Any] | psycopg.AsyncConnection[Any]


class _Wait(NamedTuple):
    connection: Watched
    since: float

    @property
    def pid(self) -> int:
        return self.connection.pgconn.backend_pid

    @property
    def server(self) -> str:
        """Where to ask after it: the same server, user and database."""
        info = self.connection.info
        return make_conninfo(info.dsn, password=info.password or None)

    @property
    def is_silent(self) -> bool:
        """Whether an answer has been due for longer than the network may take."""
        pgconn = self.connection.pgconn
        # Waiting for notifications a connection is idle.
        if pgconn.transaction_status != TransactionStatus.ACTIVE:
            return False
        given = self.connection.info.get_parameters().get("tcp_user_timeout", "0")
        patience = int(given) or int(PARAMETERS["tcp_user_timeout"])
        return time.monotonic() - self.since > patience / 1000

    def cut(self) -> None:
        """Close the socket under it: who waits there sees the connection lost."""
        with suppress(OSError), socket.socket(fileno=os.dup(self.connection.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)


class _Watch:
    """A thread that looks at all the waits of this process, now and then."""

    def __init__(self) -> None:
        self._numbers = count()
        self._waits: dict[int, _Wait] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._never = threading.Event()
        self._suspects: set[int] = set()

    def begin(self, connection: Watched) -> int:
        number = next(self._numbers)
        self._waits[number] = _Wait(connection, time.monotonic())
        # A fork leaves threads behind.
        if self._thread is None or not self._thread.is_alive():
            self._start()
        return number

    def end(self, number: int) -> None:
        with self._lock:
            del self._waits[number]

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._loop, name="watch", daemon=True)
                self._thread.start()

    def _loop(self) -> None:
        while not self._never.wait(LOOK_SECONDS):
            try:
                self._look()
            except Exception:
                log.exception("could not look after silent connections")

    def _look(self) -> None:
        deserted = self._deserted()
        for number in deserted.keys() & self._suspects:
            self._cut(number, deserted[number])
        # A process that was frozen itself finds its answers when it looks again.
        self._suspects = set(deserted)

    def _deserted(self) -> dict[int, _Wait]:
        """The waits, by number, for which the server does not work (any more)."""
        silent: dict[str, dict[int, _Wait]] = defaultdict(dict)
        for number, wait in list(self._waits.items()):
            with suppress(psycopg.Error):  # closed meanwhile
                if wait.is_silent:
                    silent[wait.server][number] = wait
        return {
            number: wait
            for server, waits in silent.items()
            for working in [_still_at_work(server, [wait.pid for wait in waits.values()])]
            for number, wait in waits.items()
            if wait.pid not in working
        }

    def _cut(self, number: int, wait: _Wait) -> None:
        with self._lock:
            # Who has left off waiting may have closed it, and its socket be another's by now.
            if number in self._waits:
                log.warning("cut a connection (%d) on which no answer came", wait.pid)
                wait.cut()


def _still_at_work(server: str, pids: list[int]) -> Collection[int]:
    """Those of the sessions the server is working for; all, while it cannot be asked."""
    try:
        with _Asker.connect(server, autocommit=True) as connection:
            me = connection.pgconn.backend_pid
            rows = connection.execute(raw("db/still_at_work"), {"pids": pids, "me": me})
            return {pid for (pid,) in rows}
    except psycopg.Error as error:
        log.warning("cannot ask after connections on which no answer comes: %s", error)
        return pids


_watch = _Watch()
