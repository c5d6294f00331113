"""Locations, products and counted sessions for tests of stock."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.accounts.service import ensure_admin
from darkroom.counting.models import PhotoSession
from darkroom.counting.places.models import (
    Product,
    ProductState,
    StorageArea,
    StorageLocation,
    StorageLocationConfig,
    Warehouse,
)
from darkroom.counting.stock.models import StockBatch, StockMovement
from darkroom.db.sessions import Database
from darkroom.queue import runs


@dataclass(frozen=True)
class Nursery:
    """Two benches where one product is expected, by the numbers of their rows."""

    bench: int
    other_bench: int
    product: int
    state: int
    config: int
    user: int

    def expected(self) -> dict[str, int]:
        """What a session copies from the first bench's configuration."""
        return {
            "storage_location_id": self.bench,
            "storage_location_config_id": self.config,
            "expected_product_id": self.product,
            "expected_product_state_id": self.state,
            "ml_user_id": self.user,
        }


def nursery(database: Database, **config: Any) -> Nursery:
    """A warehouse with two locations and a product; the first location is configured."""
    with database.session() as session:
        user = ensure_admin(session)
        area = _area(session)
        bench, other = (
            _added(session, StorageLocation(storage_area_id=area, code=code, name=name))
            for code, name in (("BENCH-1", "First bench"), ("BENCH-2", "Second bench"))
        )
        product = _added(session, Product(code="ROSE", name="Rose"))
        state = session.scalars(select(ProductState).where(ProductState.is_default)).one()
        expected = StorageLocationConfig(
            storage_location_id=bench.id,
            expected_product_id=product.id,
            expected_product_state_id=state.id,
            ml_user_id=user.id,
            **config,
        )
        session.add(expected)
        session.flush()
        return Nursery(bench.id, other.id, product.id, state.id, expected.id, user.id)


def _area(session: Session) -> int:
    warehouse = _added(session, Warehouse(code="W", name="Warehouse"))
    return _added(session, StorageArea(warehouse_id=warehouse.id, code="A", name="Area")).id


def _added(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def counted(session: Session, place: Nursery, detected: int, estimated: int, **more: Any) -> int:
    """A session that is counted but not in the stock yet; answers the number of its row."""
    run = runs.create(
        session, pipeline="counting", title="bench.jpg", owner_id=place.user, params={}
    )
    session.flush()
    photos = PhotoSession(
        run_id=run.id,
        user_id=place.user,
        total_detected=detected,
        total_estimated=estimated,
        avg_confidence=0.8,
    )
    for name, value in (place.expected() | more).items():
        setattr(photos, name, value)
    return _added(session, photos).id


def quantities(database: Database) -> list[int]:
    """What is in each batch, in their order."""
    with database.session() as session:
        query = select(StockBatch.quantity_current).order_by(StockBatch.id)
        return list(session.scalars(query))


def movements(database: Database) -> list[tuple[str, str, int]]:
    """Kind, source and quantity of every movement, in their order."""
    with database.session() as session:
        found = session.scalars(select(StockMovement).order_by(StockMovement.id))
        return [(row.movement_type, row.source_type, row.quantity) for row in found]
