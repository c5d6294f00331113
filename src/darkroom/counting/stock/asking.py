"""What people and programs ask for: fields of a form or of a JSON body, read and carried out."""

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from darkroom.counting.stock import filters, moves
from darkroom.counting.stock.models import StockBatch
from darkroom.counting.stock.moves import Entry
from darkroom.errors import Invalid

Fields = Mapping[str, object]
Row = TypeVar("Row")

ACTIONS = ("adjust", "transfer", "loss")


def enter(session: Session, given: Fields, user_id: int, zone: str) -> StockBatch:
    """Begin a batch by hand, of `location`, `product`, `state`, `container_type`, `quantity`.

    Raises
    ------
    Invalid
        Naming the field that is missing or wrong; also for the others here.
    """
    location = _needed(filters.location(session, given.get("location")), "location")
    product = _needed(filters.product(session, given.get("product")), "product")
    state = filters.state(session, given.get("state"))
    container_type = filters.container_type(session, given.get("container_type"))
    entry = Entry(
        storage_location_id=location.id,
        product_id=product.id,
        product_state_id=state.id if state else None,
        container_type_id=container_type.id if container_type else None,
        quantity=_quantity(given),
        notes=_text(given, "notes"),
    )
    return moves.enter(session, entry, user_id, _movement_id(given), zone)


def change(
    session: Session, action: str, batch_id: int, given: Fields, user_id: int, zone: str
) -> StockBatch:
    """Carry one of ACTIONS out on a batch; answers it, or the one that a transfer made."""
    quantity, reason = _quantity(given), _text(given, "reason")
    if action == "transfer":
        to = _needed(filters.location(session, given.get("location")), "location")
        return moves.transfer(
            session,
            batch_id,
            to.id,
            quantity,
            user_id,
            _movement_id(given),
            reason=reason,
            zone=zone,
        )
    act = moves.adjust if action == "adjust" else moves.lose
    return act(session, batch_id, quantity, user_id, _movement_id(given), reason=reason)


def _needed(found: Row | None, field: str) -> Row:
    if found is None:
        raise Invalid("Fill this in.", field, code="missing")
    return found


def _quantity(given: Fields) -> int:
    value = given.get("quantity")
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        value = int(value.strip()[:9])
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Invalid("Give the number of plants, in digits.", "quantity")


def _text(given: Fields, field: str) -> str:
    value = given.get(field, "")
    if not isinstance(value, str):
        raise Invalid("A text is wanted here.", field)
    return value


def _movement_id(given: Fields) -> UUID:
    value = given.get("movement_id")
    if value is None:
        return uuid4()
    try:
        return UUID(str(value))
    except ValueError:
        raise Invalid(
            "The movement_id must be a UUID, made anew for each.", "movement_id"
        ) from None
