"""The tables of the variants (made by `sql/migrations/0020_variants.sql`)."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, ForeignKey, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

Json = dict[str, Any]
JSON = JSONB(none_as_null=True)
TIME = DateTime(timezone=True)
SERVER = FetchedValue()


class Preset(Base):
    """A look that has a name; without an owner everybody's."""

    __tablename__ = "presets"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    owner_id: Mapped[int | None]
    name: Mapped[str]
    prompt: Mapped[str]
    nano_params: Mapped[Json] = mapped_column(JSON, server_default=SERVER)
    smart_anchors: Mapped[list[Json]] = mapped_column(JSON, server_default=SERVER)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    updated_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class Workflow(Base):
    """How a person wants their photos treated."""

    __tablename__ = "user_upload_workflows"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_config: Mapped[list[Json]] = mapped_column(JSON, server_default=SERVER)
    is_async_enabled: Mapped[bool] = mapped_column(server_default=SERVER)
    max_previews: Mapped[int] = mapped_column(server_default=SERVER)
    notify_by_email: Mapped[bool] = mapped_column(server_default=SERVER)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    updated_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class Upload(Base):
    """A photo that somebody took."""

    __tablename__ = "uploads"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    owner_id: Mapped[int]
    run_id: Mapped[UUID | None]
    asset_id: Mapped[UUID]
    thumbnail_id: Mapped[UUID | None]
    filename: Mapped[str]
    tier: Mapped[str]
    analysis: Mapped[Json | None] = mapped_column(JSON)
    analysed_at: Mapped[datetime | None] = mapped_column(TIME)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class Generation(Base):
    """One variant of an upload: what was asked for, and what came."""

    __tablename__ = "generations"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    upload_id: Mapped[UUID] = mapped_column(ForeignKey("uploads.id"))
    run_id: Mapped[UUID | None]
    slot: Mapped[int]
    type: Mapped[str]
    variant: Mapped[str]
    preset: Mapped[Json | None] = mapped_column(JSON)
    provider: Mapped[str | None]
    smart_anchors: Mapped[list[Json]] = mapped_column(JSON, server_default=SERVER)
    temperature: Mapped[float]
    seed: Mapped[int]
    prompt: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=SERVER)
    error: Mapped[str | None]
    rejected: Mapped[int] = mapped_column(server_default=SERVER)
    made_by: Mapped[str | None]
    model: Mapped[str | None]
    cost: Mapped[Decimal] = mapped_column(Numeric(14, 6), server_default=SERVER)
    is_sandbox: Mapped[bool] = mapped_column(server_default=SERVER)
    checks: Mapped[list[Json]] = mapped_column(JSON, server_default=SERVER)
    asset_id: Mapped[UUID | None]
    preview_id: Mapped[UUID | None]
    final_id: Mapped[UUID | None]
    unlocked_at: Mapped[datetime | None] = mapped_column(TIME)
    discarded_at: Mapped[datetime | None] = mapped_column(TIME)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    completed_at: Mapped[datetime | None] = mapped_column(TIME)


class Unlock(Base):
    """One try to unlock a variant: open until its run ends."""

    __tablename__ = "unlocks"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    upload_id: Mapped[UUID] = mapped_column(ForeignKey("uploads.id"))
    generation_id: Mapped[UUID] = mapped_column(ForeignKey("generations.id"))
    run_id: Mapped[UUID | None]
    with_upscale: Mapped[bool]
    prices: Mapped[dict[str, int]] = mapped_column(JSON)
    mended_id: Mapped[UUID | None]
    report: Mapped[Json] = mapped_column(JSON, server_default=SERVER)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    completed_at: Mapped[datetime | None] = mapped_column(TIME)
    ended_at: Mapped[datetime | None] = mapped_column(TIME)
