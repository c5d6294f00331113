"""The engine's tables, as SQLAlchemy sees them (made by `sql/migrations/0004_engine.sql`)."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, ForeignKey, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

Json = dict[str, Any]

TIME = DateTime(timezone=True)
SERVER = FetchedValue()
# None is SQL's NULL, which queries look for, and not JSON's null.
JSON_OR_NULL = JSONB(none_as_null=True)


class Run(Base):
    """One request to a pipeline, as its owner sees it."""

    __tablename__ = "runs"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    pipeline: Mapped[str]
    title: Mapped[str]
    owner_id: Mapped[int]
    status: Mapped[str] = mapped_column(server_default=SERVER)
    priority: Mapped[int] = mapped_column(server_default=SERVER)
    progress: Mapped[float] = mapped_column(server_default=SERVER)
    note: Mapped[str] = mapped_column(server_default=SERVER)
    note_values: Mapped[Json] = mapped_column(JSONB, server_default=SERVER)
    params: Mapped[Json] = mapped_column(JSONB, server_default=SERVER)
    result: Mapped[Json | None] = mapped_column(JSON_OR_NULL)
    error: Mapped[Json | None] = mapped_column(JSON_OR_NULL)
    cost: Mapped[Decimal] = mapped_column(Numeric(14, 6), server_default=SERVER)
    open_steps: Mapped[int] = mapped_column(server_default=SERVER)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    started_at: Mapped[datetime | None] = mapped_column(TIME)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(TIME)
    finished_at: Mapped[datetime | None] = mapped_column(TIME)
    steps_deleted_at: Mapped[datetime | None] = mapped_column(TIME)

    @property
    def is_over(self) -> bool:
        """True once the run has completed, failed or been cancelled."""
        return self.status in {"completed", "failed", "cancelled"}


class FanIn(Base):
    """N children and the callback that waits for them."""

    __tablename__ = "fan_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    pending: Mapped[int]
    children: Mapped[int]
    failed: Mapped[int] = mapped_column(server_default=SERVER)
    callback: Mapped[str]
    callback_lane: Mapped[str]
    callback_args: Mapped[Json] = mapped_column(JSONB)
    callback_share: Mapped[float]
    callback_max_attempts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    fired_at: Mapped[datetime | None] = mapped_column(TIME)


class StepRow(Base):
    """What the engine keeps of a step beside procrastinate's job row."""

    __tablename__ = "steps"

    job_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"))
    fan_in_id: Mapped[int | None] = mapped_column(ForeignKey("fan_ins.id"))
    callback_of: Mapped[int | None] = mapped_column(ForeignKey("fan_ins.id"))
    name: Mapped[str]
    label: Mapped[str] = mapped_column(server_default=SERVER)
    max_attempts: Mapped[int]
    share: Mapped[float] = mapped_column(server_default=SERVER)
    progress: Mapped[float] = mapped_column(server_default=SERVER)
    note: Mapped[str] = mapped_column(server_default=SERVER)
    note_values: Mapped[Json] = mapped_column(JSONB, server_default=SERVER)
    owner_id: Mapped[int | None]
    waiting_kind: Mapped[str | None]
    waiting_on: Mapped[str | None]
    waiting_for: Mapped[str | None]
    result: Mapped[Json | None] = mapped_column(JSON_OR_NULL)
    error: Mapped[Json | None] = mapped_column(JSON_OR_NULL)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    finished_at: Mapped[datetime | None] = mapped_column(TIME)


class Attempt(Base):
    """One try at a step; while it is open, its id is the step's lease."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int]
    number: Mapped[int]
    worker_id: Mapped[int]
    worker: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    finished_at: Mapped[datetime | None] = mapped_column(TIME)
    outcome: Mapped[str | None]
    error_class: Mapped[str | None]
    error_message: Mapped[str | None]
    traceback: Mapped[str | None]
