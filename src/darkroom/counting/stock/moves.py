"""What people do to the stock by hand: enter plants, adjust, transfer and lose them.

Each takes a `movement_id` that its caller made. What is sent a second time under the same one finds
it written and changes nothing.
"""

from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.counting.places.models import (
    ContainerType,
    Product,
    ProductState,
    StorageLocation,
)
from darkroom.counting.stock import ledger
from darkroom.counting.stock.models import StockBatch, StockMovement
from darkroom.errors import Conflict, Invalid

MOST = 10_000_000
"""Plants in one movement."""
LONGEST = 1000
"""Characters of a reason or note."""

Kept = TypeVar("Kept", StorageLocation, Product, ProductState, ContainerType)


@dataclass(frozen=True)
class Entry:
    """Plants that somebody enters by hand. `product_state_id` None: the default state."""

    storage_location_id: int
    product_id: int
    product_state_id: int | None
    container_type_id: int | None
    quantity: int
    notes: str


def enter(
    session: Session, entry: Entry, user_id: int, movement_id: UUID, zone: str = "UTC"
) -> StockBatch:
    """Begin a batch by hand.

    Raises
    ------
    Invalid
        Naming the field: no such place or product (or not in use), or no such quantity.
    """
    known = _known(session, movement_id)
    if known is not None:
        return known
    batch = StockBatch(
        storage_location_id=_location(session, entry.storage_location_id).id,
        product_id=_product(session, entry.product_id).id,
        product_state_id=_state(session, entry.product_state_id).id,
        container_type_id=_container_type(session, entry.container_type_id),
        quantity_initial=_quantity(entry.quantity),
        notes=_words(entry.notes, "notes"),
        created_by_user_id=user_id,
    )
    first = _by_hand("manual", user_id, movement_id, reason=batch.notes)
    return ledger.begin(session, batch, first, zone)


def adjust(
    session: Session,
    batch_id: int,
    quantity: int,
    user_id: int,
    movement_id: UUID,
    *,
    reason: str,
) -> StockBatch:
    """Write that so many plants are there, whatever was believed.

    Raises
    ------
    Conflict
        When that is what was believed.
    """
    batch = ledger.locked(session, batch_id)
    if _known(session, movement_id) is not None:
        return batch
    difference = _quantity(quantity, least=0) - batch.quantity_current
    if not difference:
        message = f"Batch {batch.batch_code} holds {quantity} plants already."
        raise Conflict(message, "quantity")
    reason = _needed(reason)
    movement = _by_hand("adjustment", user_id, movement_id, quantity=difference, reason=reason)
    return ledger.move(session, batch, movement)


def lose(
    session: Session,
    batch_id: int,
    quantity: int,
    user_id: int,
    movement_id: UUID,
    *,
    reason: str,
) -> StockBatch:
    """Write plants off: dead, broken, stolen.

    Raises
    ------
    Conflict
        When there are not as many.
    """
    batch = ledger.locked(session, batch_id)
    if _known(session, movement_id) is not None:
        return batch
    quantity, reason = _quantity(quantity), _needed(reason)
    movement = _by_hand("loss", user_id, movement_id, quantity=-quantity, reason=reason)
    return ledger.move(session, batch, movement)


def transfer(
    session: Session,
    batch_id: int,
    to_location_id: int,
    quantity: int,
    user_id: int,
    movement_id: UUID,
    *,
    reason: str = "",
    zone: str = "UTC",
) -> StockBatch:
    """Move plants to another location, where they are a batch of their own; answers that one.

    Raises
    ------
    Invalid
        When the location is not in use, or the plants are there already.
    Conflict
        When there are not as many.
    """
    batch = ledger.locked(session, batch_id)
    known = _known(session, movement_id)
    if known is not None:
        return known
    location = _location(session, to_location_id)
    if location.id == batch.storage_location_id:
        raise Invalid(f"The plants are at {location.code} already.", "location")
    quantity, reason = _quantity(quantity), _words(reason, "reason")
    shared = {"transfer_id": movement_id, "reason": reason}
    gone = _by_hand("transfer", user_id, uuid4(), quantity=-quantity, **shared)
    ledger.move(session, batch, gone)
    come = _by_hand("transfer", user_id, movement_id, **shared)
    return ledger.begin(session, _transferred(batch, location, quantity, user_id), come, zone)


def _transferred(
    batch: StockBatch, location: StorageLocation, quantity: int, user_id: int
) -> StockBatch:
    return StockBatch(
        storage_location_id=location.id,
        product_id=batch.product_id,
        product_state_id=batch.product_state_id,
        container_type_id=batch.container_type_id,
        quantity_initial=quantity,
        quality_score=batch.quality_score,
        custom_attributes=batch.custom_attributes,
        created_by_user_id=user_id,
    )


def _by_hand(kind: str, user_id: int, movement_id: UUID, **given: object) -> StockMovement:
    return StockMovement(
        movement_type=kind,
        source_type="manual",
        user_id=user_id,
        movement_id=movement_id,
        **given,
    )


def _known(session: Session, movement_id: UUID) -> StockBatch | None:
    """The batch that a movement was written to already; another just being written is awaited."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(movement_id), 0))))
    return session.scalar(
        select(StockBatch)
        .join(StockMovement, StockMovement.batch_id == StockBatch.id)
        .where(StockMovement.movement_id == movement_id)
    )


def _location(session: Session, location_id: int) -> StorageLocation:
    missing = Invalid("There is no such location.", "location")
    return _in_use(session, StorageLocation, location_id, missing)


def _product(session: Session, product_id: int) -> Product:
    return _in_use(session, Product, product_id, Invalid("There is no such product.", "product"))


def _state(session: Session, state_id: int | None) -> ProductState:
    if state_id is None:
        return session.scalars(select(ProductState).where(ProductState.is_default)).one()
    missing = Invalid("There is no such product state.", "state")
    return _in_use(session, ProductState, state_id, missing)


def _container_type(session: Session, type_id: int | None) -> int | None:
    if type_id is None:
        return None
    missing = Invalid("There is no such container type.", "container_type")
    return _in_use(session, ContainerType, type_id, missing).id


def _in_use(session: Session, kind: type[Kept], key: int, missing: Invalid) -> Kept:
    # Locked, so that nobody takes it out of use before we commit.
    found = session.get(kind, key, with_for_update={"read": True})
    if found is None:
        raise missing
    if not found.is_active:
        raise Invalid(f"{found.code} is not in use any more. Choose another.", missing.field)
    return found


def _quantity(quantity: int, least: int = 1) -> int:
    if not least <= quantity <= MOST:
        raise Invalid(f"The quantity must lie between {least} and {MOST}.", "quantity")
    return quantity


def _needed(reason: str) -> str:
    if not reason.strip():
        raise Invalid("Say why, so that others understand it later.", "reason")
    return _words(reason, "reason")


def _words(text: str, field: str) -> str:
    if len(text) > LONGEST or "\x00" in text:
        raise Invalid(f"At most {LONGEST} characters, and none of them NUL.", field)
    return text.strip()
