"""The tables of the media services (made by `sql/migrations/0022_media.sql`)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

Json = dict[str, Any]
JSON = JSONB(none_as_null=True)
TIME = DateTime(timezone=True)
SERVER = FetchedValue()


class MediaRequest(Base):
    """What somebody asked of a service, and what came of it."""

    __tablename__ = "media_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    owner_id: Mapped[int]
    run_id: Mapped[UUID | None]
    service: Mapped[str]
    title: Mapped[str]
    asked: Mapped[Json] = mapped_column(JSON)
    result: Mapped[Json | None] = mapped_column(JSON)
    engine: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=SERVER)
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    completed_at: Mapped[datetime | None] = mapped_column(TIME)


class MediaFile(Base):
    """A file that came with a request, or was made for it."""

    __tablename__ = "media_files"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("media_requests.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, default=0)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id"))
    filename: Mapped[str]
