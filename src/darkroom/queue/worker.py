"""The worker process: its lanes in one event loop, and their common end.

A stop signal ends fetching; steps get a grace time; what still runs then is given back without
burning an attempt, and the process leaves with `os._exit`, as threads cannot be stopped.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Collection, Mapping
from contextlib import suppress

from darkroom.db.sessions import Database
from darkroom.queue import settle
from darkroom.queue.execute import Executor
from darkroom.queue.lane import Lane
from darkroom.queue.rescue import Lifeline
from darkroom.queue.settle import LeaseLost, Waiting
from darkroom.queue.task import Task
from darkroom.settings import Settings

log = logging.getLogger(__name__)

STOPPED = Waiting("stopped", None, "the worker was stopped")


class WorkerProcess:
    """All the lanes of this process, and their common end."""

    def __init__(self, settings: Settings, database: Database, lanes: Mapping[str, int]) -> None:
        self.settings = settings
        self.executor = Executor(settings, database)
        self.stopped = asyncio.Event()
        self.lanes = [
            Lane(name, slots, database.url, self.executor) for name, slots in lanes.items()
        ]
        self.lifeline = Lifeline(database, settings.queue, self._worker_ids, self._attempt_ids)

    def run(self) -> None:
        """Run until SIGTERM or SIGINT. Ends the process itself when steps outlast the grace."""
        asyncio.run(self._main())

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        self.lifeline.start()
        slots = ", ".join(f"{lane.name} {lane.manager.slots}" for lane in self.lanes)
        log.info("working: %s", slots)
        running = [asyncio.ensure_future(lane.run()) for lane in self.lanes]
        for future in running:
            # A lane that dies takes the others with it.
            future.add_done_callback(lambda _: self._stop())
        await self.stopped.wait()
        ended, late = await asyncio.wait(running, timeout=self.settings.queue.grace_seconds)
        self.lifeline.stop()
        for error in filter(None, (future.exception() for future in ended)):
            log.error("a lane ended with an error", exc_info=error)
        await self._leave(late, failed=any(future.exception() for future in ended))
        for future in ended:
            future.result()

    def _stop(self) -> None:
        for lane in self.lanes:
            lane.stop()
        self.stopped.set()

    async def _leave(self, late: Collection[asyncio.Future[None]], *, failed: bool) -> None:
        """Give back what still runs and leave at once: its threads would hold the exit."""
        # A lane that died has left its steps running.
        if not late and not self._tasks():
            return
        self.executor.leaving.set()
        log.warning("giving back %d steps that did not end in the grace time", len(self._tasks()))
        try:
            await asyncio.to_thread(self._give_back_all)
            for lane in self.lanes:
                if lane.manager.worker_id is not None:
                    await lane.manager.unregister_worker(lane.manager.worker_id)
        except Exception:
            log.exception("some steps were not given back; they are rescued when found stale")
        finally:
            logging.shutdown()
            os._exit(int(failed))

    def _give_back_all(self) -> None:
        """Put what still runs back into the queue; its threads can commit nothing more."""
        for task in self._tasks():
            with suppress(LeaseLost):
                settle.give_back(self.executor.database, task.lease, None, STOPPED)

    def _tasks(self) -> list[Task]:
        # `list` copies in one go; the event loop changes them meanwhile.
        return [task for lane in self.lanes for task in list(lane.running.values())]

    def _worker_ids(self) -> list[int]:
        return [lane.manager.worker_id for lane in self.lanes if lane.manager.worker_id is not None]

    def _attempt_ids(self) -> list[int]:
        return [task.lease.attempt_id for task in self._tasks()]
