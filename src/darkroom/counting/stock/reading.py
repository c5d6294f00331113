"""What stands where: the stock now, its batches, their movements, and how it came about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.counting.models import PhotoSession
from darkroom.counting.places.models import (
    ContainerType,
    Product,
    ProductState,
    StorageLocation,
)
from darkroom.counting.stock.filters import StockFilter
from darkroom.counting.stock.models import Json, StockBatch, StockMovement
from darkroom.db.statements import statement
from darkroom.errors import Invalid, NotFound

Rows = Select[*tuple[Any, ...]]

PERIODS = {30: 1, 90: 3, 365: 7}
"""Days that a history may show, and how many of them a point stands for."""


@dataclass(frozen=True)
class Standing:
    """Plants of a product and state at a location; codes and names."""

    location: str
    location_name: str
    product: str
    product_name: str
    state: str
    state_name: str
    quantity: int
    batches: int

    @property
    def cursor(self) -> str:
        """Where a page goes on after this row."""
        return f"{self.location}:{self.product}:{self.state}"


@dataclass(frozen=True)
class Totals:
    """What is there in all."""

    plants: int
    batches: int
    locations: int


@dataclass(frozen=True)
class BatchRow:
    """A batch with the codes and names of what it is of; `owner_id` is its session's."""

    id: int
    batch_code: str
    location: str
    location_name: str
    product: str
    product_name: str
    state: str
    state_name: str
    container_type: str | None
    quantity_initial: int
    quantity_current: int
    total_detected: int | None
    total_estimated: int | None
    quality_score: float | None
    notes: str
    custom_attributes: Json
    session_id: UUID | None
    owner_id: int | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True)
class MovementRow:
    """A movement; of a transfer, also the batch on its other side."""

    id: int
    movement_id: UUID
    batch_id: int
    batch_code: str
    movement_type: str
    source_type: str
    quantity: int
    is_first: bool
    transfer_id: UUID | None
    session_id: UUID | None
    reason: str
    user: str
    created_at: datetime


@dataclass(frozen=True)
class Level:
    """What stood at a location when a day ended, and what came and went since the level before."""

    day: date
    came: int
    went: int
    quantity: int


def current(session: Session, wanted: StockFilter, after: str, size: int) -> list[Standing]:
    """What is there, by location, product and state, from the cursor `after` on ("": the first).

    Raises
    ------
    Invalid
        When `after` is no cursor.
    """
    location, product, state = _codes(after)
    place = {"after_location": location, "after_product": product, "after_state": state}
    values = wanted.parameters() | place | {"size": size}
    found = session.execute(statement("stock/current"), values).mappings()
    return [Standing(**row) for row in found]


def totals(session: Session, wanted: StockFilter) -> Totals:
    """What is there in all."""
    found = session.execute(statement("stock/totals"), wanted.parameters()).mappings().one()
    return Totals(**found)


def batches(
    session: Session, wanted: StockFilter, *, with_plants: bool, before: int | None, size: int
) -> list[BatchRow]:
    """Batches, newest first, with a number below `before`; on demand only those with plants."""
    query = _batches().order_by(StockBatch.id.desc()).limit(size)
    query = _fitting(query, wanted)
    if with_plants:
        query = query.where(StockBatch.quantity_current > 0)
    if before is not None:
        query = query.where(StockBatch.id < before)
    return [BatchRow(**row) for row in session.execute(query).mappings()]


def batch(session: Session, batch_id: int) -> BatchRow:
    """One batch; `NotFound` when there is none."""
    found = session.execute(_batches().where(StockBatch.id == batch_id)).mappings().first()
    if found is None:
        raise NotFound("There is no such batch.", "batch_id")
    return BatchRow(**found)


def movements(
    session: Session,
    wanted: StockFilter,
    *,
    batch_id: int | None = None,
    kind: str | None = None,
    before: int | None,
    size: int,
) -> list[MovementRow]:
    """Movements, newest first, with a number below `before`."""
    query = _fitting(_movements(), wanted).order_by(StockMovement.id.desc()).limit(size)
    if batch_id is not None:
        query = query.where(StockMovement.batch_id == batch_id)
    if kind is not None:
        query = query.where(StockMovement.movement_type == kind)
    if before is not None:
        query = query.where(StockMovement.id < before)
    return [MovementRow(**row) for row in session.execute(query).mappings()]


def other_sides(session: Session, found: Sequence[MovementRow]) -> dict[UUID, BatchRow]:
    """The batches on the other side of transfers, by `transfer_id`."""
    asked = {row.transfer_id: row.batch_id for row in found if row.transfer_id}
    sides = session.execute(
        select(StockMovement.transfer_id, StockMovement.batch_id).where(
            StockMovement.transfer_id.in_(asked)
        )
    )
    others = {key: number for key, number in sides if key and number != asked[key]}
    query = _batches().where(StockBatch.id.in_(others.values()))
    rows = {row["id"]: BatchRow(**row) for row in session.execute(query).mappings()}
    return {key: rows[number] for key, number in others.items()}


def history(
    session: Session, location: StorageLocation, product: Product | None, days: int, zone: str
) -> list[Level]:
    """The last days at a location, oldest first, by the days of a time zone."""
    if days not in PERIODS:
        known = ", ".join(map(str, PERIODS))
        raise Invalid(f"The days must be one of {known}.", "days")
    values = {
        "location_id": location.id,
        "product_id": product.id if product else None,
        "zone": zone,
        "span": PERIODS[days],
        "points": -(-days // PERIODS[days]),
    }
    found = session.execute(statement("stock/history"), values).mappings()
    return [Level(**row) for row in found]


def _codes(cursor: str) -> list[str]:
    codes = cursor.split(":") if cursor else ["", "", ""]
    if len(codes) != 3 or "\x00" in cursor:
        raise Invalid("This page of the list does not exist.", "after")
    return codes


def _fitting(query: Rows, wanted: StockFilter) -> Rows:
    if wanted.location is not None:
        query = query.where(StockBatch.storage_location_id == wanted.location.id)
    if wanted.product is not None:
        query = query.where(StockBatch.product_id == wanted.product.id)
    if wanted.state is not None:
        query = query.where(StockBatch.product_state_id == wanted.state.id)
    if wanted.text:
        query = query.where(StockBatch.batch_code.contains(wanted.text.upper(), autoescape=True))
    return query


def _batches() -> Rows:
    return (
        select(
            StockBatch.id,
            StockBatch.batch_code,
            StorageLocation.code.label("location"),
            StorageLocation.name.label("location_name"),
            Product.code.label("product"),
            Product.name.label("product_name"),
            ProductState.code.label("state"),
            ProductState.name.label("state_name"),
            ContainerType.code.label("container_type"),
            StockBatch.quantity_initial,
            StockBatch.quantity_current,
            StockBatch.total_detected,
            StockBatch.total_estimated,
            StockBatch.quality_score,
            StockBatch.notes,
            StockBatch.custom_attributes,
            PhotoSession.session_id,
            PhotoSession.user_id.label("owner_id"),
            User.name.label("created_by"),
            StockBatch.created_at,
        )
        .join(StorageLocation, StorageLocation.id == StockBatch.storage_location_id)
        .join(Product, Product.id == StockBatch.product_id)
        .join(ProductState, ProductState.id == StockBatch.product_state_id)
        .join(User, User.id == StockBatch.created_by_user_id)
        .outerjoin(ContainerType, ContainerType.id == StockBatch.container_type_id)
        .outerjoin(PhotoSession, PhotoSession.id == StockBatch.processing_session_id)
    )


def _movements() -> Rows:
    return (
        select(
            StockMovement.id,
            StockMovement.movement_id,
            StockMovement.batch_id,
            StockBatch.batch_code,
            StockMovement.movement_type,
            StockMovement.source_type,
            StockMovement.quantity,
            StockMovement.is_first,
            StockMovement.transfer_id,
            PhotoSession.session_id,
            StockMovement.reason,
            User.name.label("user"),
            StockMovement.created_at,
        )
        .join(StockBatch, StockBatch.id == StockMovement.batch_id)
        .join(User, User.id == StockMovement.user_id)
        .outerjoin(PhotoSession, PhotoSession.id == StockMovement.processing_session_id)
    )
