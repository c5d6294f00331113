"""Finding the jobs that fit a filter, among any number, in a time that is set.

Jobs are looked through by id, in windows that grow while they are answered quickly, until enough
are found or the time is up; where that was is told, and a search can go on from there. So that no
condition needs an index of its own to be safe, and those that have one are answered at once. Who
counts takes so many at a time, too: a window may hold nothing, and the next nothing else. A window
that takes longer than was thought (pages that come from the disk) is given up when the time is up.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.errors import QueryCanceled
from sqlalchemy import Select, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from darkroom.console.conditions import Condition, Span, conditions, jobs
from darkroom.console.filters import JobFilter
from darkroom.db.sessions import driver
from darkroom.db.statements import statement

Clock = Callable[[], float]

PAGE_SECONDS = 0.07
COUNT_SECONDS = 0.05
"""How long a page may look for its rows, and how long for their number."""
COUNT_CAP = 10_000
FIRST_WINDOW = 20_000
FIRST_BATCH = 500
GROWTH = 2.0
SLACK_SECONDS = 0.03
TIMEOUT_MS = 5000


@dataclass(frozen=True)
class Page:
    """Ids of jobs, newest first. `searched_to`: the last id looked at; None when all were."""

    ids: list[int]
    searched_to: int | None


@dataclass(frozen=True)
class Count:
    """How many jobs fit, by task. Not `exact`: there are more, or the time was up."""

    number: int
    exact: bool
    by_task: dict[str, int]


def page(
    session: Session,
    wanted: JobFilter,
    *,
    before: int | None = None,
    limit: int = 50,
    seconds: float = PAGE_SECONDS,
    clock: Clock = time.monotonic,
) -> Page:
    """The newest jobs with an id below `before` that fit the filter."""
    found: list[int] = []
    windows = _Windows(session, wanted, before, seconds, clock)
    query = select(jobs.c.id).order_by(jobs.c.id.desc())
    for fits in windows:
        rows = windows.ask(query.where(*fits).limit(limit - len(found)))
        found += [row.id for row in rows]
        if len(found) >= limit:
            return Page(found, found[-1])
    return Page(found, windows.searched_to)


def count(
    session: Session,
    wanted: JobFilter,
    *,
    also: Condition | None = None,
    cap: int | None = COUNT_CAP,
    seconds: float = COUNT_SECONDS,
    clock: Clock = time.monotonic,
) -> Count:
    """How many jobs fit the filter (and one more condition), up to `cap` and within the time."""
    by_task: Counter[str] = Counter()
    windows = _Windows(session, wanted, None, seconds, clock, also)
    for fits in windows:
        most = windows.batch if cap is None else min(windows.batch, cap + 1 - by_task.total())
        counted = windows.ask(_by_task(fits, most))
        by_task.update({row.task_name: row.jobs for row in counted})
        if cap is not None and by_task.total() > cap:
            return Count(cap, False, dict(by_task))
        if sum(row.jobs for row in counted) == most:
            windows.end_at(min(row.last for row in counted))
    return Count(by_task.total(), windows.searched_to is None, dict(by_task))


def batch(
    session: Session, wanted: JobFilter, also: Condition, *, after: int, last: int, limit: int
) -> list[int]:
    """The oldest jobs with an id above `after`, up to `last`, that fit."""
    query = select(jobs.c.id).order_by(jobs.c.id).limit(limit)
    fits = conditions(wanted, Span(after + 1, last + 1))
    return list(session.scalars(query.where(*fits, also)))


def bounds(session: Session, wanted: JobFilter) -> tuple[int, int]:
    """From which job id, and up to (not with) which, jobs that fit can lie."""
    # What had ended by a time was asked for before it.
    before = min(filter(None, (wanted.created_before, wanted.finished_before)), default=None)
    times = {"created_after": wanted.created_after, "created_before": before}
    row = session.execute(statement("console/bounds"), times).one()
    floor, top = row.floor or 0, row.top or 0
    if wanted.id:
        floor, top = max(floor, min(wanted.id)), min(top, max(wanted.id) + 1)
    return floor, top


def be_careful(session: Session, milliseconds: int = TIMEOUT_MS) -> None:
    """Have the rest of this transaction read without hurting the database."""
    session.execute(statement("console/careful"), {"milliseconds": str(milliseconds)})


class _Windows:
    """The conditions of window after window, from the newest down, and how far they came.

    Attributes
    ----------
    batch
        How many jobs may be taken from the present window at once.
    searched_to
        Where the time was up; None when all were looked through.
    """

    def __init__(
        self,
        session: Session,
        wanted: JobFilter,
        before: int | None,
        seconds: float,
        clock: Clock,
        also: Condition | None = None,
    ) -> None:
        self._session = session
        self._clock = clock
        self._deadline = clock() + seconds
        self._wanted = wanted
        self._also = [] if also is None else [also]
        self._floor, top = bounds(session, wanted)
        self._start = self._top = self._reached = top if before is None else min(top, before)
        self._filled = self._given_up = False
        self.batch = FIRST_BATCH
        self.searched_to: int | None = None

    def __iter__(self) -> Iterator[list[Condition]]:
        size = FIRST_WINDOW
        while self._reached > self._floor:
            self._top, begun, self._filled = self._reached, self._clock(), False
            self._reached = max(self._floor, self._top - size)
            yield [*conditions(self._wanted, Span(self._reached, self._top)), *self._also]
            now = self._clock()
            if self._given_up or (self._reached > self._floor and now >= self._deadline):
                self.searched_to = self._reached
                return
            # The next window is to fit into the time that is left.
            room = (self._deadline - now) / max(now - begun, 1e-4)
            growth = min(GROWTH, max(room, 0.1))
            size = max(1, int((self._top - self._reached) * growth))
            if self._filled:
                self.batch = max(1, int(self.batch * growth))

    def ask(self, query: Select[Any]) -> Sequence[Any]:
        """The rows of the present window; none of a window that had to be given up."""
        if self._top == self._start:
            # Every search goes on for at least one window.
            return self._session.execute(query).all()
        left = self._deadline + SLACK_SECONDS - self._clock()
        rows = _within(self._session, query, max(1, int(1000 * left)))
        if rows is None:
            self._given_up, self._reached = True, self._top
        return rows or ()

    def end_at(self, job_id: int) -> None:
        """A whole batch was taken: the present window was looked through down to this job only."""
        self._reached, self._filled = job_id, True


def _within(session: Session, query: Select[Any], milliseconds: int) -> Sequence[Any] | None:
    """The rows; None when they took longer. The transaction goes on either way."""
    connection = driver(session)
    connection.execute(f"SAVEPOINT look; SET LOCAL statement_timeout = {milliseconds}".encode())
    try:
        return session.execute(query).all()
    except OperationalError as error:
        if not isinstance(error.orig, QueryCanceled):
            raise
        return None
    finally:
        # The time-out goes with the savepoint.
        connection.execute(b"ROLLBACK TO look; RELEASE look")


def _by_task(fits: list[Condition], most: int) -> Select[Any]:
    newest = jobs.c.id.desc()
    found = select(jobs.c.id, jobs.c.task_name).where(*fits).order_by(newest).limit(most)
    rows = found.subquery()
    return select(
        rows.c.task_name, func.count().label("jobs"), func.min(rows.c.id).label("last")
    ).group_by(rows.c.task_name)
