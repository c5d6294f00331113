"""Procrastinate's job manager, made to lease and to survive.

Stock procrastinate fetches one job at a time, without a lease, and prunes other workers. Here a
fetch takes as many steps as there are free slots and opens an attempt row for each; and what loses
its connection is tried again instead of ending the lane.
"""

import logging
import os
import socket
from typing import Any

import psycopg
import psycopg_pool
from procrastinate import PsycopgConnector, connector, exceptions, manager

from darkroom.db.connections import AsyncConnection, conninfo
from darkroom.db.statements import raw
from darkroom.queue.backoff import Backoff
from darkroom.queue.task import Lease

log = logging.getLogger(__name__)

RECONNECT = Backoff(base=0.1, cap=1.0)
DEFAULT_ATTEMPTS = 3
NUDGE = '{"type": "job_inserted", "job_id": 0}'
AWAY = (exceptions.ConnectorException, psycopg_pool.PoolTimeout)
"""What procrastinate's connector raises while the database is away."""


def connect(database_url: str) -> PsycopgConnector:
    """Procrastinate's connector for one lane; a peer that vanished is noticed within a minute."""
    return _Connector(
        conninfo=conninfo(database_url),
        connection_class=AsyncConnection,
        min_size=1,
        max_size=4,
        configure=_autocommit,
        pool_factory=_pool,
        # Left to itself the pool waits longer and longer, and whoever asks it then waits as well.
        timeout=5,
        reconnect_timeout=2,
    )


class _Connector(PsycopgConnector):
    """Says so by a nudge whenever it begins to listen: what came before was not heard."""

    async def _loop_notify(
        self,
        on_notification: connector.Notify,
        connection: psycopg.AsyncConnection[Any],
        timeout: float = connector.LISTEN_TIMEOUT,
    ) -> None:
        await on_notification(channel="", payload=NUDGE)
        await super()._loop_notify(
            on_notification=on_notification, connection=connection, timeout=timeout
        )


def _pool(**options: Any) -> psycopg_pool.AsyncConnectionPool:
    # Procrastinate has each connection tried before it is used: a question more for every fetch,
    # and a second or more lost with each that is dead. Here the query itself is tried again.
    return psycopg_pool.AsyncConnectionPool(**{**options, "check": None})


async def _autocommit(connection: psycopg.AsyncConnection[Any]) -> None:
    # Each query is a statement of its own.
    await connection.set_autocommit(True)


class LeasingJobManager(manager.JobManager):
    """The job manager of one lane.

    Parameters
    ----------
    lane
        The procrastinate queue it fetches from.
    slots
        How many steps of the lane run at once in this process.
    stale_seconds
        After how long without a heartbeat others are to take this worker for lost.
    """

    def __init__(
        self, connector: PsycopgConnector, lane: str, slots: int, stale_seconds: float
    ) -> None:
        super().__init__(connector)
        self.lane = lane
        self.slots = slots
        self.stale_seconds = stale_seconds
        self.worker_name = f"{socket.gethostname()}:{os.getpid()}:{lane}"
        self.worker_id: int | None = None

    async def lease(self, count: int) -> list[Lease]:
        """Lease up to `count` due steps of the lane, best first.

        Raises
        ------
        ConnectorException
            When the database did not answer. What it leased nevertheless is rescued later, as this
            process does not know of it.
        """
        assert self.worker_id is not None
        rows = await self.connector.execute_query_all_async(
            query=raw("queue/fetch_steps"),
            lane=self.lane,
            worker_id=self.worker_id,
            worker_name=self.worker_name,
            max_jobs=count,
        )
        return [_lease(row) for row in rows]

    async def register_worker(self) -> int:
        """Register this lane of this process; called again, it goes on where it failed."""
        if self.worker_id is None:
            self.worker_id = await super().register_worker()
        await self._describe()
        return self.worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        """Forget this lane of this process; on a lost connection rescue will do it."""
        self.worker_id = None
        try:
            await self.connector.execute_query_async(
                query=raw("queue/forget_worker"), worker_id=worker_id
            )
        except AWAY:
            log.warning("lane %s: could not unregister", self.lane, exc_info=True)

    async def beat(self) -> None:
        """Say that this worker lives, even if its row was removed meanwhile."""
        assert self.worker_id is not None
        await self.connector.execute_query_async(query=raw("queue/beat"), worker_id=self.worker_id)

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:
        """Nothing: `rescue` removes dead workers, after taking back their steps."""
        return []

    async def _describe(self) -> None:
        await self.connector.execute_query_async(
            query=raw("queue/describe_worker"),
            worker_id=self.worker_id,
            name=self.worker_name,
            lane=self.lane,
            slots=self.slots,
            stale_seconds=self.stale_seconds,
        )


def _lease(row: dict[str, Any]) -> Lease:
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
        owner_id=row["owner_id"],
        worker_id=row["worker_id"],
    )
