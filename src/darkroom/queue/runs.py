"""Runs as their owners see them: starting one, reading it, its steps and their attempts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, or_, select, tuple_
from sqlalchemy.orm import Session

from darkroom.db.statements import statement
from darkroom.queue.calls import Call, enqueue
from darkroom.queue.models import Attempt, Run

Json = dict[str, Any]

WAITING = ("waiting", "scheduled")
STATUSES = ("pending", "running", "completed", "failed", "cancelled")


@dataclass(frozen=True)
class AttemptView:
    """One try at a step."""

    number: int
    worker: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    error_class: str | None
    error_message: str | None
    traceback: str | None

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it goes on."""
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


@dataclass(frozen=True)
class Why:
    """The one reason a step waits for (see `sql/functions/why_waiting_v4.sql`)."""

    reason: str
    waits_on: str | None
    until: datetime | None
    why: str


@dataclass(frozen=True)
class CallbackView:
    """A step that is enqueued when the last of its children has ended."""

    name: str
    lane: str
    pending: int
    children: int


@dataclass(frozen=True)
class StepView:
    """A step of a run. States: waiting, scheduled, running, succeeded, failed, cancelled.

    `scheduled_at` is set while the step waits for a time, `why` while it waits at all. `attempts`
    are there when they were asked for, their number (`tries`) always.
    """

    job_id: int
    name: str
    label: str
    state: str
    lane: str
    progress: float
    note: str
    note_values: Json
    waiting_for: str | None
    scheduled_at: datetime | None
    error: Json | None
    created_at: datetime
    finished_at: datetime | None
    tries: int
    attempts: list[AttemptView] = field(default_factory=list)
    why: Why | None = None


def start(
    session: Session,
    *,
    pipeline: str,
    title: str,
    owner_id: int,
    first: Call,
    priority: int = 0,
    params: Json | None = None,
) -> Run:
    """Create a run together with its first job, in the caller's transaction."""
    run = create(
        session,
        pipeline=pipeline,
        title=title,
        owner_id=owner_id,
        priority=priority,
        params=params,
    )
    begin(session, run, first)
    return run


def create(
    session: Session,
    *,
    pipeline: str,
    title: str,
    owner_id: int,
    priority: int = 0,
    params: Json | None = None,
) -> Run:
    """Create a run without a job; `begin` it in the same transaction."""
    run = Run(
        pipeline=pipeline, title=title, owner_id=owner_id, priority=priority, params=params or {}
    )
    session.add(run)
    session.flush()
    return run


def begin(session: Session, run: Run, first: Call) -> None:
    """Enqueue the first step of a run just created."""
    enqueue(session, [first], run_id=run.id, priority=run.priority)
    run.open_steps = 1
    session.flush()


def get(session: Session, run_id: UUID) -> Run | None:
    """The run, or None."""
    return session.get(Run, run_id)


def page(
    session: Session,
    *,
    owner_id: int | None = None,
    status: str | None = None,
    pipeline: str | None = None,
    text: str | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[Run]:
    """Runs, newest first. `before` is the (created_at, id) of the last one already seen."""
    query = select(Run).order_by(Run.created_at.desc(), Run.id.desc()).limit(limit)
    if owner_id is not None:
        query = query.where(Run.owner_id == owner_id)
    if status is not None:
        query = query.where(Run.status == status)
    if pipeline is not None:
        query = query.where(Run.pipeline == pipeline)
    if text:
        query = _matching(query, text)
    if before is not None:
        query = query.where(tuple_(Run.created_at, Run.id) < tuple_(*before))
    return list(session.scalars(query))


def many(session: Session, run_ids: Collection[UUID]) -> list[Run]:
    """Those of the runs that there are."""
    return list(session.scalars(select(Run).where(Run.id.in_(run_ids))))


def steps_of(session: Session, run_id: UUID, most: int | None = None) -> list[StepView]:
    """The run's steps in the order they were enqueued, without their attempts.

    Parameters
    ----------
    most
        Of more steps, these are chosen: all that run, and equally many that wait, failed or ended.
    """
    asked = {"run_id": run_id, "most": most}
    rows = session.execute(statement("queue/steps_of_run"), asked).mappings().all()
    reasons = _reasons(session, [row["job_id"] for row in rows if row["state"] in WAITING])
    return [StepView(**row, why=reasons.get(row["job_id"])) for row in rows]


def with_attempts(session: Session, steps: Sequence[StepView]) -> list[StepView]:
    """The steps, each with its attempts."""
    found = _attempts_of(session, [step.job_id for step in steps])
    return [replace(step, attempts=found.get(step.job_id, [])) for step in steps]


def step_states(session: Session, run_id: UUID) -> dict[str, int]:
    """How many of the run's steps are in each state (see `StepView`)."""
    rows = session.execute(statement("queue/step_states_of_run"), {"run_id": run_id})
    return {state: steps for state, steps in rows}


def callbacks_of(session: Session, run_id: UUID) -> list[CallbackView]:
    """The callbacks of the run that still wait for their children."""
    rows = session.execute(statement("queue/callbacks_of_run"), {"run_id": run_id}).mappings()
    return [CallbackView(**row) for row in rows]


def _reasons(session: Session, job_ids: Sequence[int]) -> dict[int, Why]:
    if not job_ids:
        return {}
    rows = session.execute(statement("queue/why_waiting"), {"job_ids": list(job_ids)})
    return {job_id: Why(*rest) for job_id, *rest in rows}


def _matching(query: Select[Run], text: str) -> Select[Run]:
    return query.where(
        or_(Run.title.icontains(text, autoescape=True), cast(Run.id, Text) == text.lower())
    )


def _attempts_of(session: Session, job_ids: Sequence[int]) -> dict[int, list[AttemptView]]:
    rows = session.scalars(
        select(Attempt).where(Attempt.job_id.in_(job_ids)).order_by(Attempt.job_id, Attempt.id)
    )
    by_job: dict[int, list[AttemptView]] = {}
    for row in rows:
        by_job.setdefault(row.job_id, []).append(_attempt_view(row))
    return by_job


def _attempt_view(row: Attempt) -> AttemptView:
    return AttemptView(
        number=row.number,
        worker=row.worker,
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
        error_class=row.error_class,
        error_message=row.error_message,
        traceback=row.traceback,
    )
