"""What a running step knows of itself: its lease, its progress, its children, its resources."""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from uuid import UUID

from darkroom.db.passing import passes
from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import Cancelled
from darkroom.queue.logs import AttemptLog
from darkroom.settings import Settings

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Lease:
    """The right to end a step: the id of its open attempt, and what the fetch told of the job.

    `log` is what the attempt has logged so far, which is written with its end.
    """

    attempt_id: int
    attempt_number: int
    job_id: int
    task_name: str
    lane: str
    args: dict[str, Any]
    priority: int
    burned: int
    max_attempts: int
    run_id: UUID | None
    owner_id: int | None
    worker_id: int
    log: AttemptLog = field(default_factory=AttemptLog, compare=False, repr=False)


@dataclass(frozen=True)
class Outcome:
    """How one child of a fan-in ended, as its callback sees it."""

    job_id: int
    name: str
    label: str
    args: dict[str, Any]
    ok: bool
    result: dict[str, Any]
    error: dict[str, Any]


class Resources:
    """Things made once a process from the settings: stores, loaded models. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[Callable[[Settings], Any], Any] = {}
        self._lock = threading.Lock()
        self._locks: dict[Callable[[Settings], Any], threading.Lock] = {}

    def get(self, factory: Callable[[Settings], T]) -> T:
        """What `factory(settings)` made the first time it was asked for."""
        with self._lock:
            lock = self._locks.setdefault(factory, threading.Lock())
        # A lock each, so that a model that loads for seconds does not hold up the others.
        with lock:
            if factory not in self._made:
                self._made[factory] = factory(self._settings)
            return cast(T, self._made[factory])


@dataclass
class Task:
    """The first argument of every step.

    Parameters
    ----------
    stop
        Set when the step should end at its next checkpoint (the run was cancelled, or the process
        is leaving).
    interval
        Seconds between two writes of progress.
    """

    lease: Lease
    settings: Settings
    database: Database
    resources: Resources
    stop: threading.Event = field(default_factory=threading.Event)
    interval: float = 0.5
    clock: Callable[[], float] = time.monotonic
    _reported_at: float | None = None
    _asked_at: float | None = None
    _fraction: float = 0.0
    _note: str = ""

    @property
    def run_id(self) -> UUID:
        """The run this step belongs to."""
        if self.lease.run_id is None:
            raise LookupError(f"{self.lease.task_name} belongs to no run")
        return self.lease.run_id

    def resource(self, factory: Callable[[Settings], T]) -> T:
        """A thing of the process, made on first use by `factory(settings)`."""
        return self.resources.get(factory)

    def progress(self, fraction: float, note: str, **values: Any) -> None:
        """Say how far the step is (0 to 1) and what it does now. Also a checkpoint.

        `note` is a sentence whose {places} are filled from `values` when it is shown, so that it
        can be translated. The same sentence is written at most every `interval` seconds.

        Raises
        ------
        Cancelled
            When the run is over or the lease was lost.
        """
        self._fraction = min(max(fraction, 0.0), 1.0)
        now = self._now()
        # Another sentence is another stage, and may be the last for a while.
        if note != self._note or self._is_due(self._reported_at, now):
            self._note = note
            self._reported_at = self._asked_at = now
            self._report(note, values)

    def checkpoint(self) -> None:
        """Raise `Cancelled` when the step should stop; looks at the database now and then."""
        now = self._now()
        # Its own time: who asks before they report would else never report.
        if self._is_due(self._asked_at, now):
            self._asked_at = now
            self._ask("queue/check_lease", {"lease": self.lease.attempt_id})

    def children(self) -> list[Outcome]:
        """How the children ended that this step is the callback of, in the order enqueued."""
        with self.database.session() as session:
            rows = session.execute(statement("queue/children"), {"job_id": self.lease.job_id})
            return [Outcome(**row) for row in rows.mappings()]

    def _now(self) -> float:
        """What the clock says; raises `Cancelled` when told to stop."""
        if self.stop.is_set():
            raise Cancelled("The step was told to stop.")
        return self.clock()

    def _is_due(self, last: float | None, now: float) -> bool:
        return last is None or now - last >= self.interval

    def _report(self, note: str, values: dict[str, Any]) -> None:
        self._ask(
            "queue/report_progress",
            {
                "lease": self.lease.attempt_id,
                "fraction": self._fraction,
                "note": note,
                "note_values": json.dumps(values),
            },
        )

    def _ask(self, query: str, parameters: dict[str, Any]) -> None:
        try:
            with self.database.session() as session:
                answer = session.execute(statement(query), parameters).scalar_one()
        except Exception as error:
            if not passes(error):
                raise
            # The work goes on while the database is away; its end will wait for it.
            log.warning("%s: the database is away", self.lease.task_name)
            return
        if answer == "lost":
            raise Cancelled("Another worker has taken over this step.")
        if answer == "cancelled":
            raise Cancelled("The run is over.")
