"""The table of the cues that people change (made by `sql/migrations/0024_subtitles.sql`)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base
from darkroom.media.models import JSON, SERVER, TIME


class Subtitles(Base):
    """The cues of a request as they are now; times in milliseconds."""

    __tablename__ = "subtitles"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("media_requests.id"), primary_key=True)
    language: Mapped[str | None]
    fps: Mapped[float]
    version: Mapped[int] = mapped_column(server_default=SERVER)
    cues: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    updated_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
