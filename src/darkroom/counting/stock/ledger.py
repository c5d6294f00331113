"""Writing stock: batches begin with a first movement, and change by further ones.

What a batch holds is the sum of its movements: a trigger keeps it, and others refuse whatever would
change what is written. Locks are taken in this order: session, configuration, batches by number,
batch numbers.
"""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.stock.models import StockBatch, StockMovement
from darkroom.db.statements import statement
from darkroom.errors import Conflict, NotFound


def batch_code(location_id: int, product_id: int, day: date, number: int) -> str:
    """`LOC3-PROD7-20260501-001`; from the thousandth of a day on, the number is longer."""
    return f"LOC{location_id}-PROD{product_id}-{day:%Y%m%d}-{number:03d}"


def begin(session: Session, batch: StockBatch, first: StockMovement, zone: str) -> StockBatch:
    """Write a batch under the next code of today (in that time zone), with its first movement."""
    batch.batch_code = _next_code(session, batch.storage_location_id, batch.product_id, zone)
    session.add(batch)
    session.flush()
    first.batch_id, first.is_first = batch.id, True
    first.quantity = batch.quantity_initial
    return _added(session, batch, first)


def move(session: Session, batch: StockBatch, movement: StockMovement) -> StockBatch:
    """Write a movement of a locked batch.

    Raises
    ------
    Conflict
        When more would be taken than is there.
    """
    if batch.quantity_current + movement.quantity < 0:
        raise Conflict(
            f"Batch {batch.batch_code} holds {batch.quantity_current} plants; "
            f"{-movement.quantity} cannot be taken from it.",
            "quantity",
        )
    movement.batch_id = batch.id
    return _added(session, batch, movement)


def locked(session: Session, batch_id: int) -> StockBatch:
    """The batch as it is now, locked; `NotFound` when there is none."""
    found = session.scalar(
        select(StockBatch)
        .where(StockBatch.id == batch_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("There is no such batch.", "batch_id")
    return found


def _next_code(session: Session, location_id: int, product_id: int, zone: str) -> str:
    which = {"location_id": location_id, "product_id": product_id, "zone": zone}
    day, number = session.execute(statement("stock/next_number"), which).one()
    return batch_code(location_id, product_id, day, number)


def _added(session: Session, batch: StockBatch, movement: StockMovement) -> StockBatch:
    session.add(movement)
    session.flush()
    session.refresh(batch)
    return batch
