"""Jobs as the console shows them: a row of the list, and everything about one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.db.statements import statement
from darkroom.errors import NotFound
from darkroom.queue.models import Attempt, FanIn

Json = dict[str, Any]

MOST_RELATIVES = 50
MOST_LOGS = 20
FAMILY = statement("console/family")


@dataclass(frozen=True)
class Reason:
    """Why a job waits: the kind of reason, what for, until when (if known), in a sentence."""

    reason: str
    waits_on: str | None
    until: datetime | None
    why: str


@dataclass(frozen=True)
class JobRow:
    """One job. States: waiting, scheduled, running, succeeded, failed, cancelled.

    `number`, `worker`, `started_at` and the error are those of the last attempt; `burned` counts
    the attempts that count against `max_attempts`. `stopping`: it was asked to stop.
    """

    id: int
    task: str
    state: str
    stopping: bool
    lane: str
    priority: int
    burned: int
    max_attempts: int
    scheduled_at: datetime | None
    owner_id: int | None
    owner: str | None
    run_id: UUID | None
    run_title: str | None
    label: str
    progress: float
    note: str
    note_values: Json
    created_at: datetime | None
    number: int | None
    worker: str | None
    started_at: datetime | None
    finished_at: datetime | None
    error_class: str | None
    error_message: str | None
    waits: Reason | None = None


@dataclass(frozen=True)
class Moment:
    """One line of a job's timeline: what happened, when, and to which attempt."""

    kind: str
    at: datetime | None
    attempt: int | None = None
    worker: str | None = None


@dataclass(frozen=True)
class Family:
    """The fan-in a job belongs to: how its children stand, which they are, and its callbacks."""

    children: int
    pending: int
    failed: int
    members: list[JobRow]
    callbacks: list[JobRow]


@dataclass(frozen=True)
class JobView:
    """Everything about one job. `siblings` when it is a child, `gathers` when it is a callback.

    `logs` are what its last attempts logged, by the attempt's id.
    """

    row: JobRow
    args: Json
    result: Json | None
    lock: str | None
    queueing_lock: str | None
    attempts: list[Attempt]
    logs: Mapping[int, str] = field(default_factory=dict)
    timeline: list[Moment] = field(default_factory=list)
    siblings: Family | None = None
    gathers: Family | None = None


def rows(session: Session, job_ids: Sequence[int]) -> list[JobRow]:
    """The jobs with those ids, newest first; those that wait say why."""
    found = session.execute(statement("console/jobs"), {"job_ids": list(job_ids)}).mappings()
    made = [JobRow(**row) for row in found]
    reasons = _reasons(session, [row.id for row in made if row.state in ("waiting", "scheduled")])
    return [replace(row, waits=reasons.get(row.id)) for row in made]


def one(session: Session, job_id: int) -> JobView:
    """Everything about a job; `NotFound` when there is none."""
    found = rows(session, [job_id])
    if not found:
        raise NotFound("There is no such job.")
    inner = session.execute(statement("console/job_args"), {"job_id": job_id}).one()
    attempts = _attempts(session, job_id)
    return JobView(
        row=found[0],
        args=inner.args,
        result=inner.result,
        lock=inner.lock,
        queueing_lock=inner.queueing_lock,
        attempts=attempts,
        logs=_logs(session, job_id),
        timeline=_timeline(session, job_id, attempts),
        siblings=_family(session, inner.run_id, inner.fan_in_id),
        gathers=_family(session, inner.run_id, inner.callback_of),
    )


def _reasons(session: Session, job_ids: list[int]) -> dict[int, Reason]:
    if not job_ids:
        return {}
    found = session.execute(statement("console/why_waiting"), {"job_ids": job_ids})
    return {row.job_id: Reason(row.reason, row.waits_on, row.until, row.why) for row in found}


def _attempts(session: Session, job_id: int) -> list[Attempt]:
    return list(
        session.scalars(select(Attempt).where(Attempt.job_id == job_id).order_by(Attempt.id))
    )


def _logs(session: Session, job_id: int) -> dict[int, str]:
    which = {"job_id": job_id, "most": MOST_LOGS}
    return {row.id: row.log for row in session.execute(statement("console/job_logs"), which)}


def _timeline(session: Session, job_id: int, attempts: list[Attempt]) -> list[Moment]:
    noted = session.execute(statement("console/job_events"), {"job_id": job_id})
    told = [Moment(row.kind, row.at) for row in noted]
    for attempt in attempts:
        told.append(Moment("started", attempt.started_at, attempt.number, attempt.worker))
        if attempt.outcome is not None:
            # Procrastinate says 'retried' of a person's retry.
            kind = "tried_again" if attempt.outcome == "retried" else attempt.outcome
            told.append(Moment(kind, attempt.finished_at, attempt.number))
    return sorted(told, key=lambda moment: (moment.at is None, moment.at))


def _family(session: Session, run_id: UUID | None, fan_in_id: int | None) -> Family | None:
    fan_in = session.get(FanIn, fan_in_id) if fan_in_id is not None else None
    if fan_in is None:
        return None
    which = {"fan_in_id": fan_in_id, "run_id": run_id, "most": MOST_RELATIVES}
    called = {row.job_id: row.called for row in session.execute(FAMILY, which)}
    found = sorted(rows(session, list(called)), key=lambda row: row.id)
    members = [row for row in found if not called[row.id]]
    callbacks = [row for row in found if called[row.id]]
    return Family(fan_in.children, fan_in.pending, fan_in.failed, members, callbacks)
