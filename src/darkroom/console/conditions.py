"""A job filter as conditions of SQL on `procrastinate_jobs`, `steps`, `attempts` and `runs`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    and_,
    column,
    exists,
    literal,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import BigInteger, DateTime, Integer, String, Text

from darkroom.accounts.models import User
from darkroom.console.filters import LARGEST_ID, JobFilter
from darkroom.queue.models import Attempt, Run, StepRow

Condition = ColumnElement[bool]

jobs = table(
    "procrastinate_jobs",
    column("id", BigInteger),
    column("queue_name", String),
    column("task_name", String),
    column("priority", Integer),
    column("args", JSONB),
    column("scheduled_at", DateTime(timezone=True)),
    column("owner_id", Integer),
)


def status(*words: str) -> Condition:
    """Procrastinate's status of the job is one of these."""
    # Literals, not parameters: a partial index is used only where the planner sees its condition.
    listed = ", ".join(f"'{word}'" for word in words)
    return literal_column(f"procrastinate_jobs.status IN ({listed})", Boolean)


TODO = status("todo")
DUE = and_(TODO, jobs.c.scheduled_at.is_(None))
SCHEDULED = and_(TODO, jobs.c.scheduled_at.is_not(None))
WAITING = {"waiting": DUE, "scheduled": SCHEDULED}

ENDED_BADLY = ("failed", "cancelled", "aborting", "aborted")
WORDS = {
    "running": ("doing",),
    "succeeded": ("succeeded",),
    "failed": ("failed",),
    "cancelled": ENDED_BADLY[1:],
}
"""Procrastinate's status words behind the states of ours that they tell apart by themselves."""


@dataclass(frozen=True)
class Span:
    """The ids of jobs that are looked at: from `bottom` up to, not with, `top`."""

    bottom: int
    top: int

    def holds(self, job_id: Any) -> Condition:
        """The id lies in the span. Said of every table: the planner does not carry it over."""
        return and_(job_id >= self.bottom, job_id < self.top)


def conditions(wanted: JobFilter, span: Span) -> list[Condition]:
    """What a row of `procrastinate_jobs` must fulfil to lie in the span and fit the filter."""
    given = ((make, getattr(wanted, name)) for name, make in _MAKERS.items())
    made = [make(value, span) for make, value in given if value not in (None, ())]
    return [span.holds(jobs.c.id), *made, *_implied(wanted, span)]


def _implied(wanted: JobFilter, span: Span) -> list[Condition]:
    """What the filter says anyway, in a way that an index answers at once."""
    if wanted.state != ("failed",) or wanted.finished_after is None:
        return []
    # A step that failed has not ended later than the attempt it failed in.
    failed = exists().where(
        Attempt.job_id == jobs.c.id,
        span.holds(Attempt.job_id),
        Attempt.error_class.is_not(None),
        Attempt.finished_at >= wanted.finished_after,
    )
    return [failed]


def _state(states: Sequence[str], _span: Span) -> Condition:
    words = [word for state in states for word in WORDS.get(state, ())]
    waiting = [WAITING[state] for state in states if state in WAITING]
    return or_(*waiting, *([status(*words)] if words else []))


def _owner(value: str, _span: Span) -> Condition:
    if "@" not in value:
        return jobs.c.owner_id == int(value)
    return jobs.c.owner_id == select(User.id).where(User.email == value).scalar_subquery()


def _error(value: str, span: Span) -> Condition:
    said = Attempt.error_message.icontains(value, autoescape=True)
    return exists().where(
        Attempt.job_id == jobs.c.id,
        span.holds(Attempt.job_id),
        Attempt.error_class.is_not(None),
        or_(Attempt.error_class == value, said),
    )


def _args(pairs: Sequence[tuple[str, str]], _span: Span) -> Condition:
    return and_(*(_at(path.split(".")) == value for path, value in pairs))


def _at(path: list[str]) -> ColumnElement[str]:
    """The text of what lies at a path, a number and a text alike."""
    return jobs.c.args.op("#>>", return_type=Text())(literal(path, ARRAY(Text)))


def _step(span: Span, condition: Condition) -> Condition:
    return exists().where(StepRow.job_id == jobs.c.id, span.holds(StepRow.job_id), condition)


def _text(value: str, span: Span) -> Condition:
    run_id = _as_uuid(value)
    if run_id is not None:
        return _step(span, StepRow.run_id == run_id)
    if value.isascii() and value.isdecimal() and int(value) <= LARGEST_ID:
        return jobs.c.id == int(value)
    title = Run.title.icontains(value, autoescape=True)
    of_run = exists().where(Run.id == StepRow.run_id, title)
    found = _step(span, or_(StepRow.label.icontains(value, autoescape=True), of_run))
    return or_(jobs.c.task_name.icontains(value, autoescape=True), found)


def _as_uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


_MAKERS: dict[str, Callable[[Any, Span], Condition]] = {
    "id": lambda ids, _: jobs.c.id.in_(ids),
    "state": _state,
    "lane": lambda lane, _: jobs.c.queue_name == lane,
    "task": lambda task, _: jobs.c.task_name == task,
    "run": lambda run, span: _step(span, StepRow.run_id == run),
    "owner": _owner,
    "error": _error,
    "args": _args,
    "created_after": lambda moment, span: _step(span, StepRow.created_at >= moment),
    "created_before": lambda moment, span: _step(span, StepRow.created_at < moment),
    "finished_after": lambda moment, span: _step(span, StepRow.finished_at >= moment),
    "finished_before": lambda moment, span: _step(span, StepRow.finished_at < moment),
    "text": _text,
}
