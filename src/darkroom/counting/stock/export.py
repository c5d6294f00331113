"""Stock as CSV, written while it is read: page after page, so that no download holds a lock."""

from collections.abc import Iterator
from dataclasses import astuple, fields

from darkroom.counting.stock import reading
from darkroom.counting.stock.filters import StockFilter
from darkroom.counting.stock.reading import BatchRow, Standing
from darkroom.db.sessions import Database
from darkroom.web import spreadsheet

CHUNK = 2000
LEFT_OUT = {"owner_id", "custom_attributes"}
BATCH_COLUMNS = tuple(field.name for field in fields(BatchRow) if field.name not in LEFT_OUT)


def current(database: Database, wanted: StockFilter) -> Iterator[str]:
    """What is there, a line for each location, product and state."""
    yield spreadsheet.line(field.name for field in fields(Standing))
    after: str | None = ""
    while after is not None:
        with database.session() as session:
            rows = reading.current(session, wanted, after, CHUNK)
        yield "".join(spreadsheet.line(astuple(row)) for row in rows)
        after = rows[-1].cursor if len(rows) == CHUNK else None


def batches(database: Database, wanted: StockFilter, *, with_plants: bool) -> Iterator[str]:
    """Batches, newest first, a line for each."""
    yield spreadsheet.line(BATCH_COLUMNS)
    before, more = None, True
    while more:
        with database.session() as session:
            rows = reading.batches(
                session, wanted, with_plants=with_plants, before=before, size=CHUNK
            )
        yield "".join(_batch(row) for row in rows)
        before, more = (rows[-1].id if rows else None), len(rows) == CHUNK


def _batch(row: BatchRow) -> str:
    return spreadsheet.line(getattr(row, name) for name in BATCH_COLUMNS)
