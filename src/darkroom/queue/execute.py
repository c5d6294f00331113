"""Runs one leased step in a thread and settles it, whatever happens."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import psycopg
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError, TimeoutError

from darkroom.db.sessions import Database
from darkroom.errors import NotNow
from darkroom.queue import settle
from darkroom.queue.backoff import Backoff
from darkroom.queue.settle import LeaseLost
from darkroom.queue.step import Save, registry
from darkroom.queue.task import Lease, Resources, Task
from darkroom.settings import Settings

log = logging.getLogger(__name__)

UNKNOWN_STEP_WAIT = timedelta(seconds=30)
RECONNECT_SECONDS = 1.0
PASSING = ("08", "57P", "53300", "25P03", "40")
"""SQLSTATEs of lost connections, servers that come or go, and transactions in one another's way."""


class Executor:
    """What the lanes of a worker process share: database, settings, resources, running tasks."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.resources = Resources(settings)
        self.leaving = threading.Event()
        self._running: dict[int, Task] = {}
        self._lock = threading.Lock()

    @property
    def backoff(self) -> Backoff:
        """The retry times of the settings."""
        queue = self.settings.queue
        return Backoff(queue.backoff_seconds, queue.backoff_cap_seconds)

    def running(self) -> list[Task]:
        """The tasks that run now in this process."""
        with self._lock:
            return list(self._running.values())

    def abort(self, job_id: int) -> None:
        """Have a running step stop at its next checkpoint."""
        for task in self.running():
            if task.lease.job_id == job_id:
                task.stop.set()

    def execute(self, lease: Lease) -> None:
        """Run a leased step and settle it. Never raises for what the step does."""
        task = Task(lease, self.settings, self.database, self.resources)
        with self._lock:
            self._running[lease.attempt_id] = task
        try:
            self._run(task)
        except LeaseLost:
            log.warning("dropped the work of %s: its lease was lost", lease.task_name)
        finally:
            with self._lock:
                self._running.pop(lease.attempt_id, None)

    def give_back(self, task: Task) -> None:
        """Put a step that still runs back into the queue; its thread can commit nothing more."""
        with suppress(LeaseLost):
            settle.give_back(self.database, task.lease, None, "the worker was stopped")

    def _run(self, task: Task) -> None:
        lease = task.lease
        try:
            save = self._work(task)
            self._insist(lease, lambda: settle.succeed(self.database, lease, save))
        except LeaseLost:
            raise
        except BaseException as error:
            # A library that calls sys.exit() ends its step, not the worker.
            caught = error
            log.info("%s [%s] ended with %r", lease.task_name, lease.job_id, caught)
            self._insist(
                lease, lambda: settle.settle_error(self.database, lease, caught, self.backoff)
            )

    def _work(self, task: Task) -> Save | None:
        step = registry.get(task.lease.task_name)
        if step is None:
            # Perhaps a newer process enqueued it: keep it for a worker that knows it.
            until = settle.now(self.database) + UNKNOWN_STEP_WAIT
            raise NotNow(f"no worker here knows the step {task.lease.task_name}", until)
        return step(task, **task.lease.args)

    def _insist(self, lease: Lease, end: Callable[[], None]) -> None:
        """Settle, again and again while the database is away.

        A connection lost during COMMIT leaves open whether it took: the attempt's row tells. If it
        is closed the fence refuses the second try, and `LeaseLost` is right either way.
        """
        while True:
            try:
                return end()
            except Exception as error:
                if not _passes(error):
                    raise
                log.warning("settling %s [%s]: the database is away", lease.task_name, lease.job_id)
            if self.leaving.wait(RECONNECT_SECONDS):
                raise LeaseLost(f"left before {lease.task_name} [{lease.job_id}] was settled")


def _passes(error: Exception) -> bool:
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
    return cause.sqlstate.startswith(PASSING)
