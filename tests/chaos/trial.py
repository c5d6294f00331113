"""A scenario: runs going on, faults done to them, and the reckoning."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy.exc import DBAPIError

from darkroom.db.passing import passes
from darkroom.db.sessions import Database
from tests.chaos import books, figures
from tests.chaos.desk import Desk
from tests.chaos.fleet import Fleet, Worker
from tests.chaos.outside import Outside
from tests.chaos.plans import Plan, draw

PATIENCE = 120.0
GLANCE = 0.05
AT_ONCE = 6
"""Runs that go on at any time; more are not started."""
RUNS_A_FAULT = 4
IDLE_VICTIMS = 0.2
UNENDED = ("every run ended", "no step waits or runs", "no attempt is open")
CANCELLED = 0.1
AFTERMATH = timedelta(seconds=10)
"""So long after it was done a fault may still hit what begins then: it may last."""


@dataclass(frozen=True)
class Fault:
    """Something that was done, when, and to which worker (None: to all)."""

    at: datetime
    pid: int | None = None


@dataclass
class Trial:
    """One scenario.

    Parameters
    ----------
    size
        The runs it has at least.
    seed
        What every choice is drawn from.
    stores, gated
        Whether steps store something, and whether they call through gates.
    """

    name: str
    database: Database
    fleet: Fleet
    outside: Outside
    desk: Desk
    size: int
    seed: str
    stores: bool = False
    gated: bool = True
    plans: dict[str, Plan] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    remark: str = ""

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self._began = time.monotonic()
        self._full = threading.Event()
        self._enough = threading.Event()
        self._traffic = threading.Thread(target=self._run_traffic, name="traffic", daemon=True)
        self._trouble: list[BaseException] = []

    # What goes on.

    def begin(self, workers: int, **environ: str) -> None:
        """Start workers, then runs, and wait until the first steps are done."""
        for _ in range(workers):
            self.fleet.start(**environ)
        self._traffic.start()
        self.until(lambda: self.outside.calls, "the first step")

    def go_on(self, *seconds: float) -> bool:
        """Let things go on for a time drawn from the range; answers whether to do more harm.

        A scenario has had enough when it has its runs, and a fault for every few of them.
        """
        self._full.wait(self.random.uniform(*seconds))
        self._insist_on_traffic()
        if self._full.is_set() and len(self.faults) >= self.size / RUNS_A_FAULT:
            self._enough.set()
        return not self._enough.is_set()

    def victim(self) -> Worker:
        """One of the workers, drawn; most of the time one that runs a step just now.

        Waited for until there is another to take over from it.
        """
        self.until(lambda: len(self.fleet.working()) > 1, "workers to work")
        anyone = self.random.random() < IDLE_VICTIMS
        self.until(lambda: anyone or self.busy(), "a worker that runs a step")
        return self.random.choice(self.busy() or self.fleet.working())

    def busy(self) -> list[Worker]:
        """Those that run a step just now."""
        open_ones = books.ask(self.database, BUSY)
        busy = {int(row.worker.split(":")[1]) for row in open_ones}
        return [worker for worker in self.fleet.working() if worker.pid in busy]

    def note(self, worker: Worker | None = None, at: datetime | None = None) -> None:
        """Remember that a fault is done now."""
        self.faults.append(Fault(at or datetime.now(UTC), worker and worker.pid))

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition, which may fail while the database is away."""
        deadline = time.monotonic() + PATIENCE
        while True:
            if self._holds(condition):
                return
            self._insist_on_traffic()
            if time.monotonic() > deadline:
                unended = {name: books.ask(self.database, books.BROKEN[name]) for name in UNENDED}
                raise AssertionError(f"{self}: waited too long for {what}: {unended}")
            time.sleep(GLANCE)

    def _holds(self, condition: Callable[[], object]) -> bool:
        try:
            return bool(condition())
        except DBAPIError as error:
            if not passes(error):
                raise
            return False

    def _insist_on_traffic(self) -> None:
        if self._trouble:
            raise self._trouble[0]

    def _run_traffic(self) -> None:
        random = Random(f"{self.seed} runs")
        try:
            while not self._enough.is_set():
                self._start_one(random)
                if len(self.plans) >= self.size:
                    self._full.set()
                self.until(lambda: self._going_on() < AT_ONCE, "runs to end")
        except BaseException as error:
            self._trouble.append(error)

    def _start_one(self, random: Random) -> None:
        plan = draw(random, f"run{len(self.plans)}", stores=self.stores, gated=self.gated)
        self.plans[plan.title] = plan
        run_id = self.desk.start(plan.title, plan.first)
        if random.random() < CANCELLED:
            self._enough.wait(random.uniform(0, 0.5))
            self.desk.cancel(run_id)

    def _going_on(self) -> int:
        query = "SELECT count(*) FROM runs WHERE open_steps > 0"
        return int(books.ask(self.database, query)[0][0])

    # The reckoning.

    def finish(self) -> None:
        """No more faults: wait for the end of all runs, let the workers leave, read the books."""
        self._traffic.join(PATIENCE)
        self.until(lambda: self._going_on() == 0, "all runs to end")
        self.until(lambda: not books.left(self.database), "the rest to be done")
        self.fleet.stop()
        wrong = books.broken(self.database, self.outside, self.plans)
        assert not wrong, f"{self}: {wrong}"
        # One that was lost without a fault of ours had a worker that got no time to be heard.
        needless = [
            asked
            for asked in books.repeats(self.database, self.outside)
            if asked.outcome != "lost" and not self._hit(asked)
        ]
        assert not needless, f"{self}: asked for again without a fault: {needless}"
        assert not self.fleet.failed, f"{self}: {self.fleet.failed}"
        figures.REPORTS.append(self._report())

    def _hit(self, attempt: Any) -> bool:
        """Whether a fault was done while the attempt ran, or shortly before."""
        pid = int(attempt.worker.split(":")[1])
        return any(
            fault.pid in (None, pid)
            and attempt.started_at - AFTERMATH <= fault.at <= attempt.finished_at
            for fault in self.faults
        )

    def __str__(self) -> str:
        return f"{self.name} (CHAOS_SEED={self.seed.split()[0]}, logs in {self.fleet.folder})"

    def _report(self) -> figures.Report:
        counts = books.ask(
            self.database,
            """SELECT (SELECT count(*) FROM steps) AS steps, count(*) AS attempts,
                count(*) FILTER (WHERE outcome = 'lost') AS lost FROM attempts""",
        )[0]
        return figures.Report(
            name=self.name,
            runs=len(self.plans),
            steps=counts.steps,
            attempts=counts.attempts,
            faults=len(self.faults),
            lost=counts.lost,
            repeats=len(books.repeats(self.database, self.outside)),
            seconds=time.monotonic() - self._began,
            recoveries=[seconds for fault in self.faults for seconds in self._recoveries(fault)],
            remark=self.remark,
        )

    def _recoveries(self, fault: Fault) -> list[float]:
        if fault.pid is None:
            rows = books.ask(self.database, NEXT_START, at=fault.at)
        else:
            rows = books.ask(self.database, NEXT_OF_VICTIMS, at=fault.at, name=f"%:{fault.pid}:%")
        return [float(row.seconds) for row in rows if row.seconds is not None]


BUSY = "SELECT DISTINCT worker FROM attempts WHERE finished_at IS NULL"

NEXT_START = """
    SELECT extract(epoch FROM min(started_at) - :at) AS seconds
    FROM attempts WHERE started_at > :at"""

# Until the step ran again, or ended after all.
NEXT_OF_VICTIMS = """
    SELECT extract(epoch FROM CASE
        WHEN victim.outcome IN ('lost', 'given_back') THEN min(later.started_at)
        ELSE victim.finished_at
    END - :at) AS seconds
    FROM attempts victim LEFT JOIN attempts later
        ON later.job_id = victim.job_id AND later.number > victim.number
    WHERE victim.worker LIKE :name AND :at BETWEEN victim.started_at AND victim.finished_at
    GROUP BY victim.id"""
