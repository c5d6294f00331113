"""Ends the steps of a lane in groups: whatever is done by now goes into one transaction."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from darkroom.db.sessions import Database
from darkroom.queue import settle
from darkroom.queue.step import Save
from darkroom.queue.task import Task

log = logging.getLogger(__name__)

AT_ONCE = 64


@dataclass(frozen=True)
class Work:
    """A step that has done its work, and what it wants to write."""

    task: Task
    save: Save | None


class Committer:
    """A thread that commits finished steps: together while they are many, at once while few.

    Parameters
    ----------
    begins
        Told when a group is about to be committed: its steps have left their threads.
    ended
        Told of the steps that are over: committed, or their lease was lost.
    alone
        Given each step that could not be committed in its group, to be settled by itself.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        begins: Callable[[], None],
        ended: Callable[[Sequence[Task]], None],
        alone: Callable[[Work], None],
    ) -> None:
        self._database = database
        self._begins = begins
        self._ended = ended
        self._alone = alone
        self._works: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._pending: set[int] = set()
        self._thread = threading.Thread(target=self._loop, name=f"commit-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what was added so far."""
        self._works.put(None)

    @property
    def pending(self) -> int:
        """How many works were added and are neither over nor handed back."""
        return len(self._pending)

    def add(self, work: Work) -> None:
        """Commit the work soon. Any thread may call it; it returns at once."""
        self._pending.add(work.task.lease.attempt_id)
        self._works.put(work)

    def _loop(self) -> None:
        while (first := self._works.get()) is not None:
            self._commit(self._gather(first))

    def _gather(self, first: Work) -> list[Work]:
        works = [first]
        while len(works) < AT_ONCE:
            try:
                more = self._works.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._works.put(None)
                break
            works.append(more)
        return works

    def _commit(self, works: Sequence[Work]) -> None:
        self._begins()
        try:
            verdicts = settle.succeed_together(
                self._database, [(work.task.lease, work.save) for work in works]
            )
        except BaseException as error:
            # One bad save must not fail the others, nor end this thread; the database may be away.
            log.info("a group of %d steps did not commit together: %r", len(works), error)
            for work in works:
                self._hand_back(work)
            return
        self._tell(works, verdicts)

    def _tell(self, works: Sequence[Work], verdicts: dict[int, str]) -> None:
        ended = []
        for work in works:
            verdict = verdicts.get(work.task.lease.attempt_id)
            if verdict == "cancelled":
                self._hand_back(work)
                continue
            if verdict is None:
                log.warning("dropped the work of %s: its lease was lost", work.task.lease.task_name)
            ended.append(work.task)
            self._pending.discard(work.task.lease.attempt_id)
        self._ended(ended)

    def _hand_back(self, work: Work) -> None:
        self._pending.discard(work.task.lease.attempt_id)
        self._alone(work)
