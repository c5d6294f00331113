"""Procrastinate's job manager, made to lease and to survive.

Stock procrastinate fetches without a lease, finishes without a fence, and lets a lane die when its
connection does. Here a fetch opens an attempt row; a step's end is settled by `settle`, so the
worker's own `finish_job` is left nothing to do; and every call that loses its connection is tried
again instead of ending the lane.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from procrastinate import connector, exceptions, jobs, manager
from procrastinate.manager import NotificationCallback

from darkroom.db.statements import raw
from darkroom.queue.task import Lease

log = logging.getLogger(__name__)
T = TypeVar("T")

RECONNECT_SECONDS = 1.0
DEFAULT_ATTEMPTS = 3


class LeasingJobManager(manager.JobManager):
    """The job manager of one lane.

    Parameters
    ----------
    lane
        The procrastinate queue it fetches from.
    slots
        How many steps of the lane run at once in this process.
    settle_unknown
        Settles a lease whose step no module of this process defines.
    """

    def __init__(
        self,
        connector: connector.BaseConnector,
        lane: str,
        slots: int,
        settle_unknown: Callable[[Lease], None],
    ) -> None:
        super().__init__(connector)
        self._settle_unknown = settle_unknown
        self.lane = lane
        self.slots = slots
        self.worker_name = f"{socket.gethostname()}:{os.getpid()}:{lane}"
        self.worker_id: int | None = None
        self.leases: dict[int, Lease] = {}
        self._nudged = False

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> jobs.Job | None:
        """Lease the next due job of the lane, or None; a lost connection counts as none."""
        while True:
            self._nudged = False
            job = await self._fetch(worker_id)
            # Procrastinate drops the nudges that come in during a fetch.
            if job is not None or not self._nudged:
                return job

    async def _fetch(self, worker_id: int) -> jobs.Job | None:
        try:
            rows = await self.connector.execute_query_all_async(
                query=raw("queue/fetch_steps"),
                lane=self.lane,
                worker_id=worker_id,
                worker_name=self.worker_name,
                max_jobs=1,
            )
        except exceptions.ConnectorException:
            log.warning("lane %s: the database did not answer a fetch", self.lane, exc_info=True)
            await asyncio.sleep(RECONNECT_SECONDS)
            return None
        for row in rows:
            self.leases[row["id"]] = _lease(row, worker_id)
            return jobs.Job.from_row(row)
        return None

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:
        """Nothing, as the step settled itself; but for one that procrastinate could not start."""
        assert job.id is not None
        lease = self.leases.pop(job.id, None)
        if lease is not None:
            await asyncio.to_thread(self._settle_unknown, lease)

    async def retry_job(self, job: jobs.Job, *args: object, **kwargs: object) -> None:
        """Nothing: the step was settled in its own transaction."""

    async def register_worker(self) -> int:
        """Register this lane of this process; waits for the database."""
        self.worker_id = await self._patiently(super().register_worker)
        await self.connector.execute_query_async(
            query=raw("queue/describe_worker"),
            worker_id=self.worker_id,
            name=self.worker_name,
            lane=self.lane,
            slots=self.slots,
        )
        return self.worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        """Forget this lane of this process; on a lost connection rescue will do it."""
        self.worker_id = None
        try:
            await self.connector.execute_query_async(
                query=raw("queue/forget_worker"), worker_id=worker_id
            )
        except exceptions.ConnectorException:
            log.warning("lane %s: could not unregister", self.lane, exc_info=True)

    async def update_heartbeat(self, worker_id: int) -> None:
        """Say that this worker lives, even if its row was removed meanwhile."""
        try:
            await self.connector.execute_query_async(query=raw("queue/beat"), worker_id=worker_id)
        except exceptions.ConnectorException:
            log.warning("lane %s: a heartbeat was not written", self.lane, exc_info=True)

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:
        """Nothing: `rescue` removes dead workers, after taking back their steps."""
        return []

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Listen for new jobs for ever; a lost connection is opened again."""

        async def nudge(*, channel: str, notification: jobs.Notification) -> None:
            self._nudged = True
            await on_notification(channel=channel, notification=notification)

        while True:
            try:
                await super().listen_for_jobs(on_notification=nudge, queues=queues)
            except exceptions.ConnectorException:
                log.warning("lane %s: stopped listening, connecting again", self.lane)
            # What was inserted while nobody listened is fetched now.
            await nudge(channel="", notification={"type": "job_inserted", "job_id": 0})
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await call()
            except exceptions.ConnectorException:
                log.warning("lane %s: waiting for the database", self.lane)
                await asyncio.sleep(RECONNECT_SECONDS)


def _lease(row: dict[str, Any], worker_id: int) -> Lease:
    return Lease(
        attempt_id=row["attempt_id"],
        attempt_number=row["attempt_number"],
        job_id=row["id"],
        task_name=row["task_name"],
        lane=row["queue_name"],
        args=row["args"],
        priority=row["priority"],
        burned=row["attempts"],
        # A job deferred with procrastinate's own tools has no row in `steps`.
        max_attempts=row["max_attempts"] or DEFAULT_ATTEMPTS,
        run_id=row["run_id"],
        worker_id=worker_id,
    )
