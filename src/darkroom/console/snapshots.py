"""What the dashboards answered a moment ago, shared by everybody who looks.

However many consoles are open, each dashboard is asked once every few seconds, by the first who
wants to know; whoever comes meanwhile waits for that answer, and nobody asks while nobody looks.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, current_app

from darkroom.console import dashboards
from darkroom.console.dashboards import Answer
from darkroom.db.sessions import Database
from darkroom.errors import Transient

KEY = "darkroom-snapshots"
SECONDS = 3.0
LONGEST_SECONDS = 60.0
KEPT = 200
"""Answers kept at most; more would be periods that somebody made up."""


@dataclass
class _Slot:
    """One dashboard with one period."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    fresh_until: float = float("-inf")
    found: Answer | Transient | None = None


class Snapshots:
    """The latest answers of this process.

    Parameters
    ----------
    seconds
        How old an answer may be; one that looks back for days may be up to a minute old.
    """

    def __init__(
        self,
        database: Database,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._seconds = seconds
        self._clock = clock
        self._slots: dict[tuple[str, int | None], _Slot] = {}
        self._lock = threading.Lock()

    def get(self, name: str, minutes: int | None = None) -> Answer:
        """The dashboard's answer, at most so old; raises what `dashboards.run` raises."""
        dashboard = dashboards.load(name)
        dashboards.check_period(minutes)
        slot = self._slot(name, minutes if dashboard.has_period else None)
        with slot.lock:
            if self._clock() >= slot.fresh_until:
                slot.found = self._ask(name, minutes)
                slot.fresh_until = self._clock() + self._freshness(
                    minutes if dashboard.has_period else None
                )
        if isinstance(slot.found, Transient):
            raise slot.found
        assert slot.found is not None
        return slot.found

    def forget(self) -> None:
        """Ask anew next time: somebody has just changed something and wants to see it."""
        with self._lock:
            self._slots.clear()

    def _slot(self, name: str, minutes: int | None) -> _Slot:
        with self._lock:
            if len(self._slots) >= KEPT:
                self._slots.clear()
            return self._slots.setdefault((name, minutes), _Slot())

    def _freshness(self, minutes: int | None) -> float:
        """A look back at a whole week does not change within seconds, and costs more."""
        return max(self._seconds, min(LONGEST_SECONDS, (minutes or 0) / 60))

    def _ask(self, name: str, minutes: int | None) -> Answer | Transient:
        try:
            return dashboards.run(self._database, name, minutes)
        except Transient as error:
            # What takes too long is not asked again by everyone who waits for it.
            return error


def snapshots() -> Snapshots:
    """The snapshots of the app that serves the present call."""
    found: Snapshots = current_app.extensions[KEY]
    return found


def register(app: Flask, database: Database) -> None:
    """Keep the snapshots with the app."""
    app.extensions[KEY] = Snapshots(database)
