"""The worker process: one procrastinate worker a lane in one event loop, steps in threads.

Each lane has a thread pool of its own, because the loop's default pool is shared and small. A stop
signal ends fetching; steps get a grace time; what still runs then is given back without burning an
attempt, and the process leaves with `os._exit`, as threads cannot be stopped.
"""

import asyncio
import contextvars
import logging
import os
import signal
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.job_context import JobContext
from procrastinate.worker import Worker

from darkroom.db.sessions import Database
from darkroom.queue.execute import Executor
from darkroom.queue.leasing import LeasingJobManager
from darkroom.queue.rescue import Lifeline
from darkroom.queue.step import registry
from darkroom.settings import Settings

log = logging.getLogger(__name__)


class Lane:
    """One lane of this process: its procrastinate worker, its thread pool, its leases."""

    def __init__(self, name: str, slots: int, database_url: str, executor: Executor) -> None:
        self.name = name
        self.executor = executor
        self.stopping = False
        self.pool = ThreadPoolExecutor(max_workers=slots, thread_name_prefix=f"lane-{name}")
        self.app = App(connector=PsycopgConnector(conninfo=database_url, min_size=1, max_size=4))
        self.manager = LeasingJobManager(self.app.connector, name, slots, executor.execute)
        self.app.job_manager = self.manager
        for step in registry.values():
            register = self.app.task(name=step.name, queue=step.lane, pass_context=True)
            register(self._run)
        self.worker = self._worker(slots, executor.settings)

    def stop(self) -> None:
        """Fetch no more."""
        # Procrastinate forgets a stop that was asked for before it ran.
        self.stopping = True
        self.worker.stop()  # type: ignore[no-untyped-call]

    async def run(self) -> None:
        """Fetch and run until `stop()`."""
        async with self.app.open_async():
            if self.stopping:
                return
            await self.worker.run()  # type: ignore[no-untyped-call]

    def _worker(self, slots: int, settings: Settings) -> Worker:
        queue = settings.queue
        return Worker(
            self.app,
            queues=[self.name],
            name=self.manager.worker_name,
            concurrency=slots,
            fetch_job_polling_interval=queue.poll_seconds,
            update_heartbeat_interval=queue.heartbeat_seconds,
            stalled_worker_timeout=queue.stale_seconds,
            install_signal_handlers=False,
        )

    async def _run(self, context: JobContext, /, **_args: Any) -> None:
        job_id = context.job.id
        assert job_id is not None
        lease = self.manager.leases.pop(job_id)
        loop = asyncio.get_running_loop()
        in_context = contextvars.copy_context().run
        work = loop.run_in_executor(self.pool, in_context, self.executor.execute, lease)
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            # Procrastinate's shell asked to abort: the thread stops at its next checkpoint.
            self.executor.abort(job_id)
            await work


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
        await self._leave(late)
        for future in ended:
            future.result()

    def _stop(self) -> None:
        for lane in self.lanes:
            lane.stop()
        self.stopped.set()

    async def _leave(self, late: Collection[asyncio.Future[None]]) -> None:
        """Give back what still runs and leave at once: its threads would hold the exit."""
        if not late:
            return
        self.executor.leaving.set()
        tasks = self.executor.running()
        log.warning("giving back %d steps that did not end within the grace time", len(tasks))
        try:
            await asyncio.to_thread(self._give_back_all)
            for lane in self.lanes:
                if lane.manager.worker_id is not None:
                    await lane.manager.unregister_worker(lane.manager.worker_id)
        except Exception:
            log.exception("some steps were not given back; they are rescued when found stale")
        finally:
            logging.shutdown()
            os._exit(0)

    def _give_back_all(self) -> None:
        for task in self.executor.running():
            self.executor.give_back(task)

    def _worker_ids(self) -> list[int]:
        return [lane.manager.worker_id for lane in self.lanes if lane.manager.worker_id is not None]

    def _attempt_ids(self) -> list[int]:
        # `list` copies in one go; the event loop changes the leases meanwhile.
        fetched = [lease for lane in self.lanes for lease in list(lane.manager.leases.values())]
        running = [task.lease for task in self.executor.running()]
        return [lease.attempt_id for lease in fetched + running]
