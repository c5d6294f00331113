"""The gates as people see them: lists for the console, the command line and the metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from darkroom.db.statements import statement
from darkroom.queue.gates.models import (
    Breaker,
    Capacity,
    Charge,
    GateWait,
    LimitUse,
    Pace,
    Permit,
    Spending,
)
from darkroom.queue.models import Attempt


@dataclass(frozen=True)
class BreakerView:
    """A breaker. `state`: closed, open, half_open or isolated; `waiting`: jobs behind it."""

    provider: str
    operation: str
    state: str
    failures: int
    opened_at: datetime | None
    open_until: datetime | None
    opened_times: int
    last_error: str | None
    last_failure_at: datetime | None
    last_success_at: datetime | None
    isolated_by: str | None
    isolated_reason: str | None
    changed_at: datetime
    waiting: int


@dataclass(frozen=True)
class PaceView:
    """A pace. `in_flight`: a call goes on now; `free_at`: when the next one may start otherwise."""

    name: str
    spacing_seconds: float
    in_flight: bool
    held_since: datetime | None
    free_at: datetime
    typical_seconds: float
    waiting: int


@dataclass(frozen=True)
class CapacityView:
    """The calls in flight to a provider. None: any number may be."""

    provider: str
    in_flight: int
    max_calls: int | None
    max_calls_per_owner: int | None
    typical_seconds: float
    waiting: int


@dataclass(frozen=True)
class PermitView:
    """A call in flight."""

    provider: str
    operation: str
    pace: str | None
    job_id: int
    run_id: UUID | None
    owner_id: int | None
    worker: str
    reserved: Decimal
    taken_at: datetime


@dataclass(frozen=True)
class WaitView:
    """A job's place in a line: 1 is next."""

    kind: str
    gate: str
    place: int
    job_id: int
    owner_id: int
    priority: int
    slot_at: datetime
    since: datetime


@dataclass(frozen=True)
class LimitView:
    """What a client used of an endpoint's quota."""

    client: str
    endpoint: str
    used: int
    quota: int
    period_seconds: float
    refused: int
    last_refused_at: datetime | None
    expires_at: datetime


@dataclass(frozen=True)
class LimitsUsed:
    """Clients (and addresses among them) with calls that still count, those calls, refused ones."""

    clients: int
    addresses: int
    calls: int
    refused: int


@dataclass(frozen=True)
class SpendingView:
    """What an owner (0: nobody) spent on a provider on a day (UTC), in US dollars."""

    day: date
    provider: str
    owner_id: int
    amount: Decimal


@dataclass(frozen=True)
class ChargeView:
    """One charge, in US dollars. Part 0 is a guess, -1 the guess taken back."""

    at: datetime
    provider: str
    operation: str
    job_id: int | None
    part: int
    amount: Decimal


def breakers(session: Session) -> list[BreakerView]:
    """All breakers that were ever asked, by name."""
    query = select(
        Breaker.provider,
        Breaker.operation,
        Breaker.state,
        Breaker.failures,
        Breaker.opened_at,
        Breaker.open_until,
        Breaker.opened_times,
        Breaker.last_error,
        Breaker.last_failure_at,
        Breaker.last_success_at,
        Breaker.isolated_by,
        Breaker.isolated_reason,
        Breaker.changed_at,
        _waiting("breaker", Breaker.provider + " " + Breaker.operation),
    ).order_by(Breaker.provider, Breaker.operation)
    return [BreakerView(**row) for row in _rows(session, query)]


def paces(session: Session) -> list[PaceView]:
    """All paces that were ever asked, by name."""
    held = exists().where(Permit.call_id == Pace.holder_call_id, _alive(Permit.attempt_id))
    query = select(
        Pace.name,
        Pace.spacing_seconds,
        held.label("in_flight"),
        case((held, Pace.held_since)).label("held_since"),
        Pace.free_at,
        Pace.typical_seconds,
        _waiting("pace", Pace.name),
    ).order_by(Pace.name)
    return [PaceView(**row) for row in _rows(session, query)]


def capacities(session: Session) -> list[CapacityView]:
    """All providers that were ever called, by name."""
    in_flight = select(func.count()).where(
        Permit.provider == Capacity.provider, _alive(Permit.attempt_id)
    )
    query = select(
        Capacity.provider,
        in_flight.scalar_subquery().label("in_flight"),
        Capacity.max_calls,
        Capacity.max_calls_per_owner,
        Capacity.typical_seconds,
        _waiting(
            "concurrency",
            Capacity.provider,
            GateWait.gate.startswith(Capacity.provider + " owner "),
        ),
    ).order_by(Capacity.provider)
    return [CapacityView(**row) for row in _rows(session, query)]


def permits(session: Session, limit: int = 200) -> list[PermitView]:
    """The calls in flight now, oldest first."""
    query = (
        select(
            Permit.provider,
            Permit.operation,
            Permit.pace,
            Permit.job_id,
            Permit.run_id,
            Permit.owner_id,
            Attempt.worker,
            Permit.reserved,
            Permit.taken_at,
        )
        .join(Attempt, and_(Attempt.id == Permit.attempt_id, Attempt.finished_at.is_(None)))
        .order_by(Permit.taken_at)
        .limit(limit)
    )
    return [PermitView(**row) for row in _rows(session, query)]


def waits(session: Session, kind: str, gate: str, limit: int = 100) -> list[WaitView]:
    """The front of the line before a gate, as `steps.waiting_kind` and `waiting_on` name it."""
    line = (-GateWait.priority, GateWait.turn, GateWait.position)
    query = (
        select(
            GateWait.kind,
            GateWait.gate,
            func.row_number().over(order_by=line).label("place"),
            GateWait.job_id,
            GateWait.owner_id,
            GateWait.priority,
            GateWait.slot_at,
            GateWait.since,
        )
        .where(GateWait.kind == kind, GateWait.gate == gate)
        .order_by(*line)
        .limit(limit)
    )
    return [WaitView(**row) for row in _rows(session, query)]


def limits(session: Session, limit: int = 200) -> list[LimitView]:
    """Who used our endpoints within their periods, the latest first. Counts what still counts."""
    hit = func.unnest(LimitUse.hits).column_valued("hit")
    period = func.make_interval(0, 0, 0, 0, 0, 0, LimitUse.period_seconds)
    used = select(func.count(hit)).where(hit > func.now() - period)
    query = (
        select(
            LimitUse.client,
            LimitUse.endpoint,
            used.scalar_subquery().label("used"),
            LimitUse.quota,
            LimitUse.period_seconds,
            LimitUse.refused,
            LimitUse.last_refused_at,
            LimitUse.expires_at,
        )
        .where(LimitUse.expires_at > func.now())
        .order_by(LimitUse.expires_at.desc())
        .limit(limit)
    )
    return [LimitView(**row) for row in _rows(session, query)]


def limits_used(session: Session) -> LimitsUsed:
    """How much the request limits of our endpoints are used, in all."""
    return LimitsUsed(**session.execute(statement("gates/sum_limits")).mappings().one())


def spending(session: Session, since: date) -> list[SpendingView]:
    """What was spent from that day on, newest day first."""
    query = (
        select(Spending.day, Spending.provider, Spending.owner_id, Spending.amount)
        .where(Spending.day >= since)
        .order_by(Spending.day.desc(), Spending.provider, Spending.owner_id)
    )
    return [SpendingView(**row) for row in _rows(session, query)]


def charges(session: Session, run_id: UUID) -> list[ChargeView]:
    """What a run was charged, in order; the sum is `runs.cost`."""
    query = (
        select(
            Charge.at, Charge.provider, Charge.operation, Charge.job_id, Charge.part, Charge.amount
        )
        .where(Charge.run_id == run_id)
        .order_by(Charge.id)
    )
    return [ChargeView(**row) for row in _rows(session, query)]


def _rows(session: Session, query: Executable) -> Sequence[Any]:
    return session.execute(query).mappings().all()


def _alive(attempt_id: Any) -> ColumnElement[bool]:
    return exists().where(Attempt.id == attempt_id, Attempt.finished_at.is_(None))


def _waiting(kind: str, gate: Any, *more: ColumnElement[bool]) -> ColumnElement[int]:
    counted = select(func.count()).where(GateWait.kind == kind, or_(GateWait.gate == gate, *more))
    return counted.scalar_subquery().label("waiting")
