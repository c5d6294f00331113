"""The tables of webhooks (made by `sql/migrations/0011_signals.sql`)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

Json = dict[str, Any]

TIME = DateTime(timezone=True)
SERVER = FetchedValue()

EVENTS = ("run.created", "run.started", "run.succeeded", "run.failed", "run.cancelled")


class Webhook(Base):
    """An endpoint that hears of runs: its owner's, or everybody's."""

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    all_runs: Mapped[bool] = mapped_column(server_default=SERVER)
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=SERVER)
    disabled_at: Mapped[datetime | None] = mapped_column(TIME)
    disabled_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)

    @property
    def state(self) -> str:
        """active, paused (by its owner) or disabled (by us)."""
        if self.disabled_at is not None:
            return "disabled"
        return "active" if self.active else "paused"


class WebhookDelivery(Base):
    """One event of a run for one webhook, with what came of the last try to send it."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id"))
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    event: Mapped[str]
    run: Mapped[Json] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    job_id: Mapped[int | None]
    outcome: Mapped[str | None]
    tries: Mapped[int] = mapped_column(server_default=SERVER)
    tried_at: Mapped[datetime | None] = mapped_column(TIME)
    seconds: Mapped[float | None]
    response_status: Mapped[int | None]
    response_body: Mapped[str | None]
    error: Mapped[str | None]
