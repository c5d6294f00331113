"""Takes steps back from workers that died or froze, makes due jobs fetchable, starts cron jobs."""

import logging
import threading
import time
from collections.abc import Callable, Collection

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from darkroom.db.sessions import Database
from darkroom.db.statements import raw, statement
from darkroom.queue import cron, settle
from darkroom.queue.gates import pace
from darkroom.queue.settle import LeaseLost
from darkroom.queue.task import Lease
from darkroom.settings import QueueSettings

log = logging.getLogger(__name__)

PROMOTE_SECONDS = 0.5
PROMOTE_AT_ONCE = 1000
RECONCILE_SECONDS = 60.0
ROLL_UP_SECONDS = 10.0
BIGINTS = ARRAY(BigInteger)


def rescue(
    database: Database,
    stale_seconds: float,
    *,
    mine: Collection[int] = (),
    running: Collection[int] = (),
) -> int:
    """Return the steps of lost workers to the queue; answers how many.

    Lost is a worker without a heartbeat for `stale_seconds`, and a step of one of `mine` (worker
    ids of this process) as old as that which is not among the `running` attempts: its end got lost.
    """
    with database.session() as session:
        lost = session.execute(
            statement("queue/lost_steps").bindparams(
                bindparam("mine", list(mine), BIGINTS), bindparam("running", list(running), BIGINTS)
            ),
            {"stale_seconds": stale_seconds},
        ).mappings()
        leases = [Lease(**row) for row in lost]
    rescued = sum(_take_back(database, lease) for lease in leases)
    with database.session() as session:
        session.execute(statement("queue/remove_dead_workers"), {"stale_seconds": stale_seconds})
    return rescued


def promote(database: Database) -> int:
    """Make jobs whose time has come fetchable and wake their lanes; answers how many."""
    with database.session() as session:
        answer = session.execute(statement("queue/promote_due"), {"max_jobs": PROMOTE_AT_ONCE})
        return int(answer.scalar_one())


def _take_back(database: Database, lease: Lease) -> bool:
    try:
        settle.lose(database, lease)
    except LeaseLost:
        _close_orphan(database, lease)
        return False
    except Exception:
        # One step that cannot be taken back must not keep the others from it.
        log.exception("could not rescue %s [%s]", lease.task_name, lease.job_id)
        return False
    log.warning("rescued %s [%s] from a lost worker", lease.task_name, lease.job_id)
    return True


def _close_orphan(database: Database, lease: Lease) -> None:
    """An open attempt keeps its job from being fetched, whoever put the job back."""
    with database.session() as session:
        session.execute(statement("queue/close_orphan"), {"attempt_id": lease.attempt_id})


def reconcile(database: Database) -> int:
    """Fail the runs that wait for steps cancelled or deleted past the engine; answers how many."""
    with database.session() as session:
        return int(session.execute(statement("queue/reconcile_runs")).scalar_one())


def reconcile_in_turn(database: Database) -> int:
    """`reconcile`, unless some process is at it or has done it within a minute."""
    return _in_turn(database, "reconcile_runs", RECONCILE_SECONDS, "queue/reconcile_runs")


def roll_up_in_turn(database: Database) -> int:
    """Roll up what ended just now, unless some process is at it or has just done it.

    The cron step does it too, and catches up after a pause. But it comes once a minute, and what
    is not rolled up yet every look at a dashboard has to read.
    """
    return _in_turn(database, "roll_up", ROLL_UP_SECONDS, "rollups/roll_up_soon")


def _in_turn(database: Database, chore: str, seconds: float, name: str) -> int:
    """What the statement answers; 0 if it is not our turn to do the chore."""
    # Processes look at clocks of their own when to ask: a little early must not mean a turn later.
    asked = {"name": chore, "seconds": seconds * 0.9}
    with database.session() as session:
        if session.execute(statement("queue/take_chore"), asked).first() is None:
            return 0
        return int(session.execute(statement(name)).scalar_one())


class Lifeline:
    """A thread of the worker process that promotes, rescues, counts and ticks until its end."""

    def __init__(
        self,
        database: Database,
        settings: QueueSettings,
        mine: Callable[[], Collection[int]],
        running: Callable[[], Collection[int]],
    ) -> None:
        self._database = database
        self._settings = settings
        self._mine = mine
        self._running = running
        self._crons = cron.Ticker(database, settings)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="lifeline", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the round that is going on."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _loop(self) -> None:
        next_rescue = next_reconcile = next_roll_up = 0.0
        answered = time.monotonic()
        rest = PROMOTE_SECONDS
        while not self._stop.wait(rest):
            rest = PROMOTE_SECONDS
            try:
                pace.pull(self._database)
                if promote(self._database) == PROMOTE_AT_ONCE:
                    # More may be due. The other chores keep their turns.
                    rest = 0
                if time.monotonic() - answered > self._settings.stale_seconds / 2:
                    # The database was away, and nobody could write a heartbeat: let them do so.
                    next_rescue = time.monotonic() + self._settings.stale_seconds
                if time.monotonic() >= next_rescue:
                    next_rescue = time.monotonic() + self._settings.rescue_seconds
                    self._rescue()
                if time.monotonic() >= next_reconcile:
                    next_reconcile = time.monotonic() + RECONCILE_SECONDS
                    reconcile_in_turn(self._database)
                if time.monotonic() >= next_roll_up:
                    next_roll_up = time.monotonic() + ROLL_UP_SECONDS
                    roll_up_in_turn(self._database)
                self._crons.round()
                answered = time.monotonic()
            except Exception:
                log.warning("lifeline: a round failed", exc_info=True)

    def _rescue(self) -> None:
        # Procrastinate's heartbeat ends when a stop begins, long before the last step does.
        with self._database.session() as session:
            for worker_id in self._mine():
                session.connection().exec_driver_sql(raw("queue/beat"), {"worker_id": worker_id})
        rescue(
            self._database,
            self._settings.stale_seconds,
            mine=self._mine(),
            running=self._running(),
        )
