"""One lane of a worker process: it leases as many steps as it has free slots and runs them.

Fetching and listening happen in the process's event loop, the steps' work in a thread pool of the
lane's own, their commits in its committer. Procrastinate's own worker would fetch one job at a time
and finish it without a fence; its tables, notifications and job manager are what is used of it.
"""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

from procrastinate import jobs

from darkroom.queue.committer import AT_ONCE, Committer, Work
from darkroom.queue.execute import Executor
from darkroom.queue.leasing import AWAY, RECONNECT, LeasingJobManager, connect
from darkroom.queue.task import Lease, Task

log = logging.getLogger(__name__)

ABORT_POLL_SECONDS = 5.0
SLOTS_TO_RUN_AHEAD = 8
"""Lanes of fewer slots do long work: what a step enqueues should be able to come next, so they wait
for its commit before they fetch."""
COMMITS_AHEAD = 2 * AT_ONCE
"""So many steps may wait for their commit before the lane fetches no more."""
SETTLERS = 4
"""So many steps of a broken group are settled at once."""


class Lane:
    """The steps of one lane in this process.

    Attributes
    ----------
    running
        The tasks leased and not yet settled, by attempt id.
    """

    def __init__(self, name: str, slots: int, database_url: str, executor: Executor) -> None:
        self.name = name
        self.running: dict[int, Task] = {}
        stale_seconds = executor.settings.queue.stale_seconds
        self.manager = LeasingJobManager(connect(database_url), name, slots, stale_seconds)
        self._slots = slots
        self._executor = executor
        self._pool = ThreadPoolExecutor(max_workers=slots, thread_name_prefix=f"lane-{name}")
        # Threads of their own: the slots may all be taken by the time a group breaks up.
        self._settlers = ThreadPoolExecutor(SETTLERS, thread_name_prefix=f"settle-{name}")
        self._committer = Committer(
            executor.database, name, self._freed_soon, self._ended_soon, self._alone
        )
        self._stopping = False
        # Set when there may be something to fetch, a slot to put it in, or an end to come to.
        self._wake = asyncio.Event()
        self._starved = False

    def stop(self) -> None:
        """Fetch no more; `run` returns when the last step is settled."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Fetch and run until `stop()`."""
        self._loop = asyncio.get_running_loop()
        await self._until_it_answers(self.manager.connector.open_async)
        await self._until_it_answers(self.manager.register_worker)
        if self._stopping:
            return await self._end()
        self._committer.start()
        aside = [asyncio.create_task(call) for call in self._side_work()]
        try:
            await self._fetch_and_run()
            await self._rest_until(lambda: not self.running)
        finally:
            for task in aside:
                task.cancel()
            await asyncio.gather(*aside, return_exceptions=True)
            self._committer.stop()
            await self._end()

    async def _end(self) -> None:
        if self.manager.worker_id is not None:
            await self.manager.unregister_worker(self.manager.worker_id)
        await self.manager.connector.close_async()

    def _side_work(self) -> list[Coroutine[None, None, None]]:
        queue = self._executor.settings.queue
        return [
            self._for_ever(self.manager.beat, queue.heartbeat_seconds),
            self._for_ever(self._listen, RECONNECT.cap),
            self._for_ever(self._look_for_aborts, ABORT_POLL_SECONDS),
        ]

    async def _fetch_and_run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            free = self._free()
            leases = await self._lease(free) if free else []
            for lease in leases:
                self._start(lease)
            # With less than was asked for, only news or time can bring more.
            self._starved = 0 <= len(leases) < free
            if self._starved or free == 0:
                await self._rest()

    def _free(self) -> int:
        """Slots without a step at work: one that only waits for its commit has left its thread."""
        if self._slots < SLOTS_TO_RUN_AHEAD:
            return self._slots - len(self.running)
        pending = self._committer.pending
        if pending >= COMMITS_AHEAD:
            return 0
        return max(0, min(self._slots, self._slots - len(self.running) + pending))

    async def _lease(self, free: int) -> list[Lease]:
        for tries in count(1):
            if self._stopping:
                break
            try:
                return await self.manager.lease(free)
            except AWAY:
                log.warning("lane %s: the database did not answer a fetch", self.name)
                await asyncio.sleep(RECONNECT.delay(tries).total_seconds())
        return []

    async def _rest(self) -> None:
        try:
            poll = self._executor.settings.queue.poll_seconds
            await asyncio.wait_for(self._wake.wait(), poll)
        except TimeoutError:
            pass

    async def _rest_until(self, done: Callable[[], bool]) -> None:
        while not done():
            self._wake.clear()
            await self._rest()

    def _start(self, lease: Lease) -> None:
        task = self._executor.task(lease)
        self.running[lease.attempt_id] = task
        self._pool.submit(contextvars.copy_context().run, self._work, task)

    def _work(self, task: Task) -> None:
        try:
            save = self._executor.work(task)
        except BaseException as error:
            # A library that calls sys.exit() ends its step, not the worker.
            self._settle(task, partial(self._executor.fail, task, error))
        else:
            self._committer.add(Work(task, save))

    def _alone(self, work: Work) -> None:
        task, save = work.task, work.save
        self._settlers.submit(self._settle, task, partial(self._executor.succeed, task, save))

    def _settle(self, task: Task, end: Callable[[], None]) -> None:
        """End a step. If that cannot be written its slot is free all the same, and rescue tries."""
        try:
            end()
        except BaseException:
            log.exception("could not end %s [%s]", task.lease.task_name, task.lease.job_id)
        finally:
            self._ended_soon([task])

    def _ended_soon(self, tasks: Sequence[Task]) -> None:
        self._loop.call_soon_threadsafe(self._ended, tasks)

    def _freed_soon(self) -> None:
        self._loop.call_soon_threadsafe(self._freed)

    def _ended(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            self.running.pop(task.lease.attempt_id, None)
        self._freed()

    def _freed(self) -> None:
        if self._stopping or not self._starved:
            self._wake.set()

    async def _listen(self) -> None:
        await self.manager.listen_for_jobs(on_notification=self._notified, queues=[self.name])

    async def _notified(self, *, channel: str, notification: jobs.Notification) -> None:
        if notification["type"] == "job_inserted":
            self._wake.set()
        else:
            self._abort([notification["job_id"]])

    async def _look_for_aborts(self) -> None:
        if self.running:
            self._abort(set(await self.manager.list_jobs_to_abort_async(self.name)))

    def _abort(self, job_ids: Collection[int]) -> None:
        """Procrastinate's shell asked to stop a job: it does at its next checkpoint."""
        for task in self.running.values():
            if task.lease.job_id in job_ids:
                task.stop.set()

    async def _for_ever(self, call: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Call again and again; what fails is said and tried again."""
        while True:
            try:
                await call()
            except Exception:
                log.warning("lane %s: %s failed", self.name, call.__name__, exc_info=True)
            await asyncio.sleep(seconds)

    async def _until_it_answers(self, call: Callable[[], Awaitable[object]]) -> None:
        """Call until the database answers or the lane is to stop."""
        for tries in count(1):
            if self._stopping:
                return
            try:
                await call()
                return
            except AWAY:
                log.warning("lane %s: waiting for the database", self.name)
                await asyncio.sleep(RECONNECT.delay(tries).total_seconds())
