"""The locations in use: finding one by number, code or position, and all of them for a picker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.places.lookup import Lookup, Place
from darkroom.counting.places.models import (
    Product,
    StorageArea,
    StorageLocation,
    StorageLocationConfig,
    Warehouse,
)
from darkroom.errors import Conflict, NotFound

FIELD = "storage_location_id"
HIGHEST = 2**31 - 1


@dataclass(frozen=True)
class Option:
    """A location as people choose it, with what is expected there."""

    id: int
    code: str
    name: str
    area: str
    warehouse: str
    product: str | None


def lookup(session: Session) -> Lookup:
    """The locations in use, by where they are."""
    columns = (
        StorageLocation.id,
        StorageLocation.geojson_coordinates,
        StorageLocation.geospatial_point,
    )
    return Lookup([Place(*row) for row in session.execute(_in_use(select(*columns)))])


def any_in_use(session: Session) -> bool:
    """False where nobody has defined locations (or all are switched off)."""
    return session.scalar(_in_use(select(StorageLocation.id)).limit(1)) is not None


def options(session: Session, only: Sequence[int] | None = None) -> list[Option]:
    """The locations in use by warehouse, area and code; of `only` those that still are."""
    query = (
        _in_use(
            select(
                StorageLocation.id,
                StorageLocation.code,
                StorageLocation.name,
                StorageArea.name,
                Warehouse.name,
                Product.name,
            )
        )
        .outerjoin(
            StorageLocationConfig,
            StorageLocationConfig.storage_location_id == StorageLocation.id,
        )
        .outerjoin(Product, Product.id == StorageLocationConfig.expected_product_id)
        .order_by(Warehouse.code, StorageArea.code, StorageLocation.code)
    )
    if only is not None:
        query = query.where(StorageLocation.id.in_(only))
    return [Option(*row) for row in session.execute(query)]


def given(session: Session, text: str | int) -> StorageLocation:
    """The location in use with that number, or else with that code.

    Raises
    ------
    NotFound, Conflict
        When there is none, or when it (or its area or warehouse) is switched off.
    """
    found = _by_number(session, str(text).strip()) or _by_code(session, str(text).strip())
    if found is None:
        raise NotFound(f"There is no location “{text}”.", FIELD)
    if not options(session, [found.id]):
        raise Conflict(
            f"The location “{found.code}” is switched off: choose another, or switch it on again.",
            FIELD,
        )
    return found


def _in_use(query: Any) -> Any:
    return (
        query.join_from(StorageLocation, StorageArea)
        .join(Warehouse)
        .where(StorageLocation.is_active, StorageArea.is_active, Warehouse.is_active)
    )


def _by_number(session: Session, text: str) -> StorageLocation | None:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= HIGHEST):
        return None
    return session.get(StorageLocation, int(text))


def _by_code(session: Session, text: str) -> StorageLocation | None:
    # What cannot be stored is nobody's code.
    if not text.isprintable():
        return None
    return session.scalar(select(StorageLocation).where(StorageLocation.code == text.upper()))
