"""The table of kept pictures (made by `sql/migrations/0023_generation.sql`)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base
from darkroom.media.models import JSON, SERVER, TIME, Json


class KeptPicture(Base):
    """A picture that was made, or is being made, by the key of what was asked for."""

    __tablename__ = "kept_pictures"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    key: Mapped[str]
    asked: Mapped[Json] = mapped_column(JSON)
    attempt_id: Mapped[int]
    rejected: Mapped[int]
    asset_id: Mapped[UUID | None] = mapped_column(ForeignKey("assets.id"))
    thumbnail_id: Mapped[UUID | None] = mapped_column(ForeignKey("assets.id"))
    size_bytes: Mapped[int]
    made_by: Mapped[Json] = mapped_column(JSON)
    hits: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    used_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
