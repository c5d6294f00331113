"""What operators do to all the jobs that fit a filter: counted first, done in batches, audited.

Every batch is one transaction that also brings the action's audit row up to date, so that the row
tells the truth whenever an action is cut short. Jobs are taken in the order of their ids, each only
once: what an action puts back, and fails again meanwhile, is not put back a second time.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor, AuditRow
from darkroom.console import search
from darkroom.console.conditions import ENDED_BADLY, SCHEDULED, TODO, Condition, jobs, status
from darkroom.console.filters import JobFilter
from darkroom.console.search import Clock, Count
from darkroom.db.sessions import Database
from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.queue import bulk

Json = dict[str, Any]

BATCH = 500
MOST_UNDONE = 10_000
"""Jobs of one action that are remembered, so that it can be taken back."""
PRIORITIES = range(-1000, 1001)
IN_THE_WAY = ("40P01", "40001", "55P03")
"""SQLSTATEs of transactions in one another's way: the same batch works in a moment."""
TRIES = 5


@dataclass(frozen=True)
class Order:
    """What is to be done: the action, to which jobs, and the priority it sets if it is that."""

    action: str
    wanted: JobFilter
    priority: int | None = None

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            known = ", ".join(ACTIONS)
            raise Invalid(f"There is no action {self.action!r}. There are: {known}.", "action")
        if (self.action == "reprioritise") != (self.priority is not None):
            raise Invalid("A priority belongs to reprioritise, and only to it.", "priority")
        if self.priority is not None and self.priority not in PRIORITIES:
            raise Invalid("The priority must lie between -1000 and 1000.", "priority")

    @property
    def fits(self) -> Condition:
        """Which jobs the action can touch at all."""
        if self.priority is not None:
            return and_(TODO, jobs.c.priority != self.priority)
        return ACTIONS[self.action].fits

    @property
    def subject(self) -> str:
        """What the audit names beside the filter."""
        return "" if self.priority is None else f"priority {self.priority}"


@dataclass(frozen=True)
class Changed:
    """What a batch did: how many jobs it touched, and what would take that back."""

    count: int
    undo: Json | None = None


@dataclass(frozen=True)
class Progress:
    """How far an action is: jobs up to `after` are done, it ends with `last`."""

    audit_id: int
    count: int
    after: int
    last: int
    done: bool
    undoable: bool

    @property
    def token(self) -> str | None:
        """What to hand to `carry_out` to go on; None when nothing is left."""
        return None if self.done else f"{self.audit_id}.{self.after}.{self.last}"


@dataclass(frozen=True)
class Action:
    """One kind of action: which jobs it can touch, and what it does to a batch of them."""

    fits: Condition
    change: Callable[[Session, list[int], Order], Changed]
    undoable: bool = True


def preview(session: Session, order: Order, seconds: float, cap: int | None = None) -> Count:
    """How many jobs an action would touch, by task; changes nothing."""
    return search.count(session, order.wanted, also=order.fits, cap=cap, seconds=seconds)


def carry_out(
    database: Database,
    order: Order,
    actor: Actor,
    *,
    token: str | None = None,
    seconds: float | None = None,
    clock: Clock = time.monotonic,
) -> Progress:
    """Do it to all jobs that fit, or for so many seconds; `token` goes on where that ended."""
    deadline = None if seconds is None else clock() + seconds
    progress = _go_on(database, order, actor, token) if token else _begin(database, order, actor)
    while not progress.done:
        progress = _patiently(database, order, progress)
        if deadline is not None and clock() >= deadline:
            break
    return progress


def undo(session: Session, audit_id: int, actor: Actor) -> int:
    """Take an action back as far as its jobs have not moved on; answers how many that were.

    Raises
    ------
    NotFound, Conflict
        When there is no such action, or it cannot be taken back (any more).
    """
    row = session.get(AuditRow, audit_id, with_for_update=True)
    if row is None or not row.action.startswith("jobs."):
        raise NotFound("There is no such action.")
    if row.undone_at is not None:
        raise Conflict("This was taken back already.")
    if row.undo is None:
        raise Conflict("This cannot be taken back.")
    count = sum(_UNDO[kind](session, items) for kind, items in row.undo.items())
    row.undone_at = func.now()
    audit.write(session, actor=actor, action="jobs.undo", subject=str(audit_id), count=count)
    return count


def _begin(database: Database, order: Order, actor: Actor) -> Progress:
    with database.session() as session:
        floor, top = search.bounds(session, order.wanted)
        row = audit.write(
            session,
            actor=actor,
            action=_name(order),
            subject=order.subject,
            filter=order.wanted.as_json(),
            count=0,
            undo={} if ACTIONS[order.action].undoable else None,
        )
        return Progress(row.id, 0, floor - 1, top - 1, floor >= top, row.undo is not None)


def _go_on(database: Database, order: Order, actor: Actor, token: str) -> Progress:
    audit_id, after, last = _read(token)
    with database.session() as session:
        row = session.get(AuditRow, audit_id)
        expected = (_name(order), order.subject, order.wanted.as_json(), actor.user_id)
        if row is None or (row.action, row.subject, row.filter, row.user_id) != expected:
            raise Invalid("This does not go on with an action of yours.", "continue")
        return Progress(audit_id, row.count, after, last, after >= last, row.undo is not None)


def _read(token: str) -> tuple[int, int, int]:
    parts = token.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise Invalid("This is not what an earlier answer gave.", "continue")
    audit_id, after, last = (min(int(part), 2**62) for part in parts)
    return audit_id, after, last


def _batch(database: Database, order: Order, done: Progress) -> Progress:
    with database.session() as session:
        ids = search.batch(
            session, order.wanted, order.fits, after=done.after, last=done.last, limit=BATCH
        )
        row = session.get_one(AuditRow, done.audit_id, with_for_update=True)
        if ids:
            _note(row, ACTIONS[order.action].change(session, ids, order))
        after = ids[-1] if len(ids) == BATCH else done.last
        over = after >= done.last
        return Progress(row.id, row.count, after, done.last, over, row.undo is not None)


def _note(row: AuditRow, changed: Changed) -> None:
    row.count += changed.count
    if row.undo is not None and changed.undo is not None:
        known = row.undo
        merged = {kind: [*known.get(kind, []), *items] for kind, items in changed.undo.items()}
        row.undo = merged if row.count <= MOST_UNDONE else None


def _patiently(database: Database, order: Order, done: Progress) -> Progress:
    for _ in range(TRIES - 1):
        try:
            return _batch(database, order, done)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in IN_THE_WAY:
                raise
    return _batch(database, order, done)


def _name(order: Order) -> str:
    return f"jobs.{order.action.replace('-', '_')}"


def _retry(session: Session, ids: list[int], _order: Order) -> Changed:
    return Changed(len(bulk.retry(session, ids)))


def _cancel(session: Session, ids: list[int], _order: Order) -> Changed:
    cancelled = bulk.cancel(session, ids)
    return Changed(len(cancelled), {"requeue": cancelled})


def _discard(session: Session, ids: list[int], _order: Order) -> Changed:
    dropped, given_up = bulk.discard(session, ids)
    return Changed(len(dropped) + len(given_up), {"requeue": dropped, "fail": given_up})


def _reprioritise(session: Session, ids: list[int], order: Order) -> Changed:
    assert order.priority is not None
    had = bulk.reprioritise(session, ids, order.priority)
    return Changed(len(had), {"priority": [list(pair) for pair in had.items()]})


def _run_now(session: Session, ids: list[int], _order: Order) -> Changed:
    had = bulk.run_now(session, ids)
    return Changed(len(had), {"schedule": [[job, at.isoformat()] for job, at in had.items()]})


ACTIONS: Mapping[str, Action] = {
    "retry": Action(status(*ENDED_BADLY), _retry, undoable=False),
    "run-now": Action(SCHEDULED, _run_now),
    "cancel": Action(status("todo", "doing"), _cancel),
    "discard": Action(status("todo", "failed"), _discard),
    "reprioritise": Action(TODO, _reprioritise),
}


def _back_to_priorities(session: Session, pairs: list[list[int]]) -> int:
    by_priority: dict[int, list[int]] = {}
    for job, had in pairs:
        by_priority.setdefault(had, []).append(job)
    return sum(
        len(bulk.reprioritise(session, ids, had)) for had, ids in sorted(by_priority.items())
    )


def _back_to_times(session: Session, pairs: list[tuple[int, str]]) -> int:
    return len(bulk.reschedule(session, {job: datetime.fromisoformat(at) for job, at in pairs}))


_UNDO: Mapping[str, Callable[[Session, Any], int]] = {
    "requeue": lambda session, ids: len(bulk.uncancel(session, ids)),
    "fail": lambda session, ids: len(bulk.undiscard(session, ids)),
    "priority": _back_to_priorities,
    "schedule": _back_to_times,
}
