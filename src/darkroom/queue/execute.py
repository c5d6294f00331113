"""Runs one leased step in a thread and settles it, whatever happens."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import count

from darkroom.db.passing import passes
from darkroom.db.sessions import Database
from darkroom.errors import NotNow
from darkroom.queue import logs, settle
from darkroom.queue.backoff import Backoff
from darkroom.queue.settle import LeaseLost
from darkroom.queue.step import Save, registry
from darkroom.queue.task import Lease, Resources, Task
from darkroom.settings import Settings

log = logging.getLogger(__name__)

UNKNOWN_STEP_WAIT = timedelta(seconds=30)
RECONNECT = Backoff(base=0.1, cap=1.0)


class Executor:
    """What the lanes of a worker process share: database, settings, resources."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.resources = Resources(settings)
        self.leaving = threading.Event()
        logs.listen()

    @property
    def backoff(self) -> Backoff:
        """The retry times of the settings."""
        queue = self.settings.queue
        return Backoff(queue.backoff_seconds, queue.backoff_cap_seconds)

    def task(self, lease: Lease) -> Task:
        """What a leased step is handed."""
        return Task(lease, self.settings, self.database, self.resources)

    def work(self, task: Task) -> Save | None:
        """Do the step's work, outside any transaction; raises whatever it raises."""
        step = registry.get(task.lease.task_name)
        if step is None:
            # Perhaps a newer process enqueued it: keep it for a worker that knows it.
            until = settle.now(self.database) + UNKNOWN_STEP_WAIT
            message = f"no worker here knows the step {task.lease.task_name}"
            raise NotNow(message, until, kind="unknown_step", on=task.lease.task_name)
        with task.lease.log.listening():
            return step(task, **task.lease.args)

    def succeed(self, task: Task, save: Save | None) -> None:
        """Write the step's effects and end it; an error of its save ends it as the error says."""
        lease = task.lease
        try:
            self._insist(lease, lambda: settle.succeed(self.database, lease, save))
        except LeaseLost as lost:
            log.warning("dropped the work of a step: its lease was lost: %s", lost)
        except BaseException as error:
            self.fail(task, error)

    def fail(self, task: Task, error: BaseException) -> None:
        """End, retry or give back a step that raised. Never raises for what the step did."""
        lease = task.lease
        log.info("%s [%s] ended with %r", lease.task_name, lease.job_id, error)
        try:
            self._insist(
                lease, lambda: settle.settle_error(self.database, lease, error, self.backoff)
            )
        except LeaseLost as lost:
            log.warning("the lease of a step was lost: %s", lost)

    def _insist(self, lease: Lease, end: Callable[[], None]) -> None:
        """Settle, again and again while the database is away.

        A connection lost during COMMIT leaves open whether it took: the attempt's row tells. If it
        is closed the fence refuses the second try, and `LeaseLost` is right either way.
        """
        for tries in count(1):
            try:
                return end()
            except Exception as error:
                if not passes(error):
                    raise
                log.warning("settling %s [%s]: the database is away", lease.task_name, lease.job_id)
            if self.leaving.wait(RECONNECT.delay(tries).total_seconds()):
                raise LeaseLost(f"left before {lease.task_name} [{lease.job_id}] was settled")
