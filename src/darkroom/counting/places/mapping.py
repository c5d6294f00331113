"""What the map and the pages of places show: shapes, what is expected where, counts of a place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.counting.models import PhotoSession
from darkroom.counting.places.kinds import AREAS, LOCATIONS, WAREHOUSES, Kind
from darkroom.counting.places.models import (
    ContainerType,
    Product,
    ProductState,
    StorageLocation,
    StorageLocationConfig,
)

Json = dict[str, Any]
SHOWN = 10


@dataclass(frozen=True)
class Expected:
    """What is expected at a location, in names."""

    product: str
    state: str
    container: str | None


@dataclass(frozen=True)
class Counted:
    """One count of a location."""

    session_id: UUID
    status: str
    total: int
    created_at: datetime
    is_counted: bool


def features(session: Session) -> Json:
    """Warehouses, areas and locations as GeoJSON, the large ones first."""
    found = [
        _feature(kind, row)
        for kind in (WAREHOUSES, AREAS, LOCATIONS)
        for row in session.scalars(select(kind.model).order_by(kind.model.id))
        if row.geojson_coordinates or getattr(row, "geospatial_point", None)
    ]
    return {"type": "FeatureCollection", "features": found}


def expected(session: Session, location_ids: Sequence[int]) -> dict[int, Expected]:
    """What is expected at locations, by their numbers."""
    query = (
        select(
            StorageLocationConfig.storage_location_id,
            Product.name,
            ProductState.name,
            ContainerType.name,
        )
        .join(Product, Product.id == StorageLocationConfig.expected_product_id)
        .join(ProductState, ProductState.id == StorageLocationConfig.expected_product_state_id)
        .outerjoin(
            ContainerType, ContainerType.id == StorageLocationConfig.expected_container_type_id
        )
        .where(StorageLocationConfig.storage_location_id.in_(location_ids))
    )
    return {
        location_id: Expected(product, state, container)
        for location_id, product, state, container in session.execute(query)
    }


def of_session(session: Session, photos: PhotoSession) -> Json:
    """Where a session was taken and what was expected there when it was counted, in rows."""
    return {
        "location": _got(session, StorageLocation, photos.storage_location_id),
        "product": _got(session, Product, photos.expected_product_id),
        "state": _got(session, ProductState, photos.expected_product_state_id),
        "container": _got(session, ContainerType, photos.expected_container_type_id),
    }


def counts_at(session: Session, location_id: int, reader: User) -> list[Counted]:
    """The latest counts of a location that the reader may see."""
    query = (
        select(PhotoSession)
        .where(PhotoSession.storage_location_id == location_id)
        .order_by(PhotoSession.created_at.desc())
        .limit(SHOWN)
    )
    if not reader.sees_all:
        query = query.where(PhotoSession.user_id == reader.id)
    return [
        Counted(
            row.session_id,
            row.status,
            row.total,
            row.created_at,
            row.counted_at is not None,
        )
        for row in session.scalars(query)
    ]


def _got(session: Session, model: type[Any], row_id: int | None) -> Any:
    return None if row_id is None else session.get(model, row_id)


def _feature(kind: Kind, row: Any) -> Json:
    return {
        "type": "Feature",
        "id": f"{kind.name}-{row.id}",
        "geometry": row.geojson_coordinates or row.geospatial_point,
        "properties": {
            "kind": kind.name,
            "id": row.id,
            "code": row.code,
            "name": row.name,
            "is_active": row.is_active,
            "url": url_for("places.show", kind=kind.name, row_id=row.id),
        },
    }
