"""Live updates: one LISTEN connection a process fans out to all of its event streams.

A notification is a nudge, the row is the truth: whoever is nudged reads the row again. After the
connection was lost everybody is nudged, for something may have been missed. Every stream holds a
thread of the server, so that streams are capped and short; beyond the cap a page polls.
"""

import hashlib
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Any
from uuid import UUID

import psycopg

from darkroom.db.sessions import Database
from darkroom.settings import WebSettings

log = logging.getLogger(__name__)

CHANNEL = "darkroom_runs"
HEARTBEAT_SECONDS = 5.0
RECONNECT_SECONDS = 1.0
# How often a silent connection is asked whether it still lives.
PROBE_SECONDS = 20.0

Json = dict[str, Any]


class RunFeed:
    """The numbered nudges of this process: which runs changed, lately.

    The listener starts with the first `wait`, that is after the server has forked.

    Parameters
    ----------
    size
        Nudges kept. Who has fallen further behind is nudged in any case.
    """

    def __init__(self, database: Database, size: int = 1024) -> None:
        self._database = database
        self._changed = threading.Condition()
        self._nudges: deque[UUID | None] = deque(maxlen=size)
        self._count = 0
        self._listener: threading.Thread | None = None
        self._stopped = threading.Event()

    @property
    def position(self) -> int:
        """The number of the last nudge: take it, read the row, then `wait` after it."""
        return self._count

    @property
    def stopped(self) -> bool:
        """True once the process is leaving."""
        return self._stopped.is_set()

    def wait(self, run_ids: Collection[UUID], after: int, seconds: float) -> bool:
        """Wait until one of the runs may have changed since nudge `after`; False on time-out."""
        with self._changed:
            self._start()
            return self._changed.wait_for(
                lambda: self.stopped or self._nudged(run_ids, after), seconds
            )

    def stop(self) -> None:
        """End all waits and the listener (the process is leaving)."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()

    def _start(self) -> None:
        if self._listener is None:
            self._listener = threading.Thread(target=self._listen, name="run-feed", daemon=True)
            self._listener.start()

    def _nudged(self, run_ids: Collection[UUID], after: int) -> bool:
        missed = self._count - after
        if missed > len(self._nudges):
            return True
        recent = (self._nudges[-number] for number in range(1, missed + 1))
        return any(run is None or run in run_ids for run in recent)

    def _add(self, run: UUID | None) -> None:
        with self._changed:
            self._nudges.append(run)
            self._count += 1
            self._changed.notify_all()

    def _listen(self) -> None:
        while not self.stopped:
            try:
                self._receive()
            except psycopg.Error as error:
                if not self._stopped.wait(RECONNECT_SECONDS):
                    log.warning("The live feed lost its connection (%s); connecting again.", error)

    def _receive(self) -> None:
        with self._database.connect() as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._add(None)
            while not self.stopped:
                for notice in connection.notifies(timeout=PROBE_SECONDS):
                    self._add(_run_of(notice.payload))
                connection.execute("SELECT 1")


class Slots:
    """So many places, taken at once or not at all."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    def enter(self) -> bool:
        """Take a place; False when all are taken. Whoever took one must `leave`."""
        return self._free.acquire(blocking=False)

    def leave(self) -> None:
        """Give the place back."""
        self._free.release()


class Live:
    """The feed, and the slots of those who follow it, each of whom holds a thread.

    `streams` are for pages, and for programs that would rather wait; `answers` for calls that are
    promised to wait, so that no number of open pages takes that away. A quarter of the threads is
    left to ordinary requests.
    """

    def __init__(self, database: Database, web: WebSettings) -> None:
        self.feed = RunFeed(database)
        self.seconds = web.stream_seconds
        streams = max(1, min(web.max_streams, web.threads // 2))
        answers = web.threads - streams - max(1, web.threads // 4)
        self.streams = Slots(streams)
        # Of one or two threads none is left over.
        self.answers = Slots(answers) if answers > 0 else self.streams


def follow(
    live: Live, run_ids: Collection[UUID], read: Callable[[], Json], last_id: str | None
) -> Iterator[str]:
    """The text of an event stream: the state whenever it changed, comments as heartbeat.

    Parameters
    ----------
    read
        Gives the present state, with a key `finished`. The stream ends after a finished state.
    last_id
        The id of the last event that the page has: an unchanged state is not sent again.
    """
    deadline = time.monotonic() + live.seconds
    yield "retry: 1000\n\n"
    while not live.feed.stopped:
        position = live.feed.position
        state = read()
        event, event_id = _event(state)
        yield event if event_id != last_id else ": still here\n\n"
        last_id = event_id
        left = deadline - time.monotonic()
        if state["finished"] or left <= 0:
            return
        live.feed.wait(run_ids, position, min(left, HEARTBEAT_SECONDS))


def _event(state: Json) -> tuple[str, str]:
    data = json.dumps(state, separators=(",", ":"), ensure_ascii=False)
    event_id = hashlib.sha256(data.encode()).hexdigest()[:16]
    return f"id: {event_id}\nevent: state\ndata: {data}\n\n", event_id


def _run_of(payload: str) -> UUID | None:
    try:
        return UUID(json.loads(payload)["run"])
    except (ValueError, KeyError, TypeError):
        log.warning("Not understood on %s: %r", CHANNEL, payload)
        return None
