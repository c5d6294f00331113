"""The tables of review (made by `sql/migrations/0014_review.sql`)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

Json = dict[str, Any]
TIME = DateTime(timezone=True)
SERVER = FetchedValue()


class Correction(Base):
    """One thing that a person changed on a photo; a draft until it is applied."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[UUID]
    session_id: Mapped[int]
    image_id: Mapped[UUID]
    container_id: Mapped[int | None]
    action: Mapped[str]
    before: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    user_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    applied_at: Mapped[datetime | None] = mapped_column(TIME)
    undone_at: Mapped[datetime | None] = mapped_column(TIME)


class ConfidenceScale(Base):
    """A factor on the computed standard error, fitted from reviewed containers."""

    __tablename__ = "confidence_scales"

    id: Mapped[int] = mapped_column(primary_key=True)
    error_scale: Mapped[float]
    containers: Mapped[int]
    fitted_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
