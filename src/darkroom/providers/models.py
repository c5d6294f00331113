"""The tables of the outside services (made by `sql/migrations/0016_providers.sql`)."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

SERVER = FetchedValue()
TIME = DateTime(timezone=True)


class ProviderCall(Base):
    """A call to an outside service that is over."""

    __tablename__ = "provider_calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    provider: Mapped[str]
    operation: Mapped[str]
    model: Mapped[str | None]
    owner_id: Mapped[int | None]
    run_id: Mapped[UUID | None]
    job_id: Mapped[int | None]
    attempt_id: Mapped[int | None]
    answer_key: Mapped[str | None]
    http_status: Mapped[int | None]
    outcome: Mapped[str]
    error: Mapped[str | None]
    latency_seconds: Mapped[float]
    tokens_in: Mapped[int | None]
    tokens_out: Mapped[int | None]
    cost: Mapped[Decimal] = mapped_column(Numeric(14, 6), server_default=SERVER)
    is_sandbox: Mapped[bool]


class ProviderAnswer(Base):
    """An answer that was paid for, and where it is stored."""

    __tablename__ = "provider_answers"

    answer_key: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    operation: Mapped[str]
    model: Mapped[str]
    storage_key: Mapped[str]
    size_bytes: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=SERVER)
    is_sandbox: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class ProviderModel(Base):
    """Whether a model is there, as last asked."""

    __tablename__ = "provider_models"

    provider: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    is_there: Mapped[bool]
    note: Mapped[str] = mapped_column(server_default=SERVER)
    checked_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
