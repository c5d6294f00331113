"""The tables of the gates, as SQLAlchemy sees them (made by `sql/migrations/0007_gates.sql`)."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Numeric
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base
from darkroom.queue.models import SERVER, TIME

MONEY = Numeric(14, 6)


class Breaker(Base):
    """A circuit breaker; without a row it is closed."""

    __tablename__ = "breakers"

    provider: Mapped[str] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default=SERVER)
    failures: Mapped[int] = mapped_column(server_default=SERVER)
    opened_at: Mapped[datetime | None] = mapped_column(TIME)
    open_until: Mapped[datetime | None] = mapped_column(TIME)
    opened_times: Mapped[int] = mapped_column(server_default=SERVER)
    last_error: Mapped[str | None]
    last_failure_at: Mapped[datetime | None] = mapped_column(TIME)
    last_success_at: Mapped[datetime | None] = mapped_column(TIME)
    probe_attempt_id: Mapped[int | None]
    probe_until: Mapped[datetime | None] = mapped_column(TIME)
    isolated_by: Mapped[str | None]
    isolated_reason: Mapped[str | None]
    changed_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class Pace(Base):
    """One call at a time, and some time between two."""

    __tablename__ = "paces"

    name: Mapped[str] = mapped_column(primary_key=True)
    spacing_seconds: Mapped[float]
    holder_call_id: Mapped[UUID | None]
    holder_attempt_id: Mapped[int | None]
    held_since: Mapped[datetime | None] = mapped_column(TIME)
    free_at: Mapped[datetime] = mapped_column(TIME)
    typical_seconds: Mapped[float] = mapped_column(server_default=SERVER)


class Capacity(Base):
    """How many calls a provider may have in flight."""

    __tablename__ = "capacities"

    provider: Mapped[str] = mapped_column(primary_key=True)
    max_calls: Mapped[int | None]
    max_calls_per_owner: Mapped[int | None]
    typical_seconds: Mapped[float] = mapped_column(server_default=SERVER)


class Permit(Base):
    """A call in flight; it counts only while its attempt is open."""

    __tablename__ = "permits"

    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    provider: Mapped[str]
    operation: Mapped[str]
    pace: Mapped[str | None]
    attempt_id: Mapped[int]
    job_id: Mapped[int]
    run_id: Mapped[UUID | None]
    owner_id: Mapped[int | None]
    reserved: Mapped[Decimal] = mapped_column(MONEY, server_default=SERVER)
    taken_at: Mapped[datetime] = mapped_column(TIME)


class GateWait(Base):
    """A job's place in the line before a gate."""

    __tablename__ = "gate_waits"

    job_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(primary_key=True)
    gate: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[int]
    priority: Mapped[int]
    turn: Mapped[int]
    position: Mapped[int] = mapped_column(server_default=SERVER)
    slot_at: Mapped[datetime] = mapped_column(TIME)
    since: Mapped[datetime] = mapped_column(TIME)


class Charge(Base):
    """Money that was spent on one call."""

    __tablename__ = "charges"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    call_id: Mapped[UUID]
    part: Mapped[int] = mapped_column(server_default=SERVER)
    provider: Mapped[str]
    operation: Mapped[str]
    owner_id: Mapped[int | None]
    run_id: Mapped[UUID | None]
    job_id: Mapped[int | None]
    attempt_id: Mapped[int | None]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[str] = mapped_column(server_default=SERVER)


class Spending(Base):
    """What an owner (0: nobody) spent on a provider on a day (UTC)."""

    __tablename__ = "spending"

    day: Mapped[date] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    amount: Mapped[Decimal] = mapped_column(MONEY)


class LimitUse(Base):
    """The calls of a client to an endpoint of ours that still count."""

    __tablename__ = "limits_used"

    client: Mapped[str] = mapped_column(primary_key=True)
    endpoint: Mapped[str] = mapped_column(primary_key=True)
    quota: Mapped[int]
    period_seconds: Mapped[float]
    hits: Mapped[list[datetime]] = mapped_column(ARRAY(TIME), server_default=SERVER)
    refused: Mapped[int] = mapped_column(server_default=SERVER)
    last_refused_at: Mapped[datetime | None] = mapped_column(TIME)
    expires_at: Mapped[datetime] = mapped_column(TIME)
