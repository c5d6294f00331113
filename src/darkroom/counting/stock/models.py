"""The tables of stock (made by `sql/migrations/0013_stock.sql`)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

Json = dict[str, Any]
TIME = DateTime(timezone=True)
SERVER = FetchedValue()


class StockBatch(Base):
    """Plants of one product and state at one location; `quantity_current` is what is left."""

    __tablename__ = "stock_batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_code: Mapped[str]
    storage_location_id: Mapped[int]
    product_id: Mapped[int]
    product_state_id: Mapped[int]
    container_type_id: Mapped[int | None]
    processing_session_id: Mapped[int | None]
    total_detected: Mapped[int | None]
    total_estimated: Mapped[int | None]
    quantity_initial: Mapped[int]
    quantity_current: Mapped[int] = mapped_column(server_default=SERVER)
    quality_score: Mapped[float | None]
    notes: Mapped[str] = mapped_column(server_default=SERVER)
    custom_attributes: Mapped[Json] = mapped_column(JSONB, server_default=SERVER)
    created_by_user_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    updated_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class StockMovement(Base):
    """What came to a batch (positive) or went from it (negative), when, why and by whom."""

    __tablename__ = "stock_movements"

    id: Mapped[int] = mapped_column(primary_key=True)
    movement_id: Mapped[UUID] = mapped_column(server_default=SERVER)
    batch_id: Mapped[int] = mapped_column(ForeignKey("stock_batches.id"))
    movement_type: Mapped[str]
    source_type: Mapped[str]
    quantity: Mapped[int]
    is_inbound: Mapped[bool] = mapped_column(server_default=SERVER)
    is_first: Mapped[bool] = mapped_column(server_default=SERVER)
    processing_session_id: Mapped[int | None]
    transfer_id: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(server_default=SERVER)
    user_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
