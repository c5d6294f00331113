"""Finding the jobs that fit a filter, among any number, in a time that is set.

Jobs are looked through by id, in windows that grow while they are answered quickly, until enough
are found or the time is up; where that was is told, and a search can go on from there. So that no
condition needs an index of its own to be safe, and those that have one are answered at once.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from darkroom.console.conditions import Condition, Span, conditions, jobs
from darkroom.console.filters import JobFilter
from darkroom.db.statements import statement

Clock = Callable[[], float]

PAGE_SECONDS = 0.07
COUNT_SECONDS = 0.05
"""How long a page may look for its rows, and how long for their number."""
COUNT_CAP = 10_000
FIRST_WINDOW = 20_000
GROWTH = 4.0
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
        left = limit - len(found)
        found += session.scalars(query.where(*fits).limit(left))
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
    by_task: dict[str, int] = {}
    windows = _Windows(session, wanted, None, seconds, clock, also)
    for fits in windows:
        left = None if cap is None else cap + 1 - sum(by_task.values())
        for task, number in session.execute(_by_task(fits, left)):
            by_task[task] = by_task.get(task, 0) + number
        if cap is not None and sum(by_task.values()) > cap:
            return Count(cap, False, by_task)
    return Count(sum(by_task.values()), windows.searched_to is None, by_task)


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
    """The conditions of window after window, from the newest down, and how far they came."""

    def __init__(
        self,
        session: Session,
        wanted: JobFilter,
        before: int | None,
        seconds: float,
        clock: Clock,
        also: Condition | None = None,
    ) -> None:
        self._clock = clock
        self._deadline = clock() + seconds
        self._wanted = wanted
        self._also = [] if also is None else [also]
        self._floor, self._top = bounds(session, wanted)
        if before is not None:
            self._top = min(self._top, before)
        self.searched_to: int | None = None

    def __iter__(self) -> Iterator[list[Condition]]:
        size = float(FIRST_WINDOW)
        top = self._top
        while top > self._floor:
            bottom = max(self._floor, top - max(1, int(size)))
            begun = self._clock()
            yield [*conditions(self._wanted, Span(bottom, top)), *self._also]
            top, now = bottom, self._clock()
            if top > self._floor and now >= self._deadline:
                self.searched_to = top
                return
            # The next window is to fit into the time that is left.
            room = (self._deadline - now) / max(now - begun, 1e-4)
            size *= min(GROWTH, max(room, 0.1))


def _by_task(fits: list[Condition], limit: int | None) -> Select[Any]:
    found = select(jobs.c.task_name).where(*fits).limit(limit).subquery()
    return select(found.c.task_name, func.count()).group_by(found.c.task_name)
