"""COPY against the ORM: writing the detections of a large count.

    python scripts/bench_copy.py                  # 100 000 detections, best of three

Every way writes the same rows into the same table, with its keys and indexes, in a transaction of
its own that is committed; the rows are deleted between. "COPY" is what the pipeline does. "ORM
bulk insert" is `session.execute(insert(Detection), rows)`, SQLAlchemy's fastest, many rows a
statement; "ORM objects" is `session.add_all`. Postgres is an own one in a temporary folder, with
its usual settings.
"""

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from darkroom.accounts import service as accounts
from darkroom.counting.models import Container, Detection, Photo
from darkroom.counting.service import CountingService
from darkroom.db import embedded, migrate
from darkroom.db.sessions import Database, driver
from darkroom.db.statements import raw
from darkroom.settings import Settings
from darkroom.storage.local import LocalStore

COLUMNS = (
    "session_id",
    "image_id",
    "container_id",
    "center_x",
    "center_y",
    "width_px",
    "height_px",
    "confidence",
    "class_name",
)
FIGURES = (
    "total_detected",
    "total_estimated",
    "total_unbiased",
    "total_buffered",
    "standard_error",
    "interval_low",
    "interval_high",
    "count_confidence",
    "vegetation_fraction",
)
Row = tuple[Any, ...]
Way = Callable[[Session, list[Row]], None]


@dataclass(frozen=True)
class Place:
    """The container that the detections belong to, by its keys."""

    session_id: int
    image_id: Any
    container_id: int


def copy(session: Session, rows: list[Row]) -> None:
    """As the pipeline writes them."""
    with driver(session).cursor() as cursor, cursor.copy(raw("counting/copy_detections")) as stream:
        for row in rows:
            stream.write_row(row)


def bulk(session: Session, rows: list[Row]) -> None:
    """The ORM's bulk insert."""
    session.execute(insert(Detection), [dict(zip(COLUMNS, row, strict=True)) for row in rows])


def objects(session: Session, rows: list[Row]) -> None:
    """One object a detection."""
    session.add_all([Detection(**dict(zip(COLUMNS, row, strict=True))) for row in rows])


WAYS: dict[str, Way] = {"COPY": copy, "ORM bulk insert": bulk, "ORM objects": objects}


@contextmanager
def fresh_database() -> Iterator[tuple[Database, Path]]:
    """A migrated database of its own, and a folder."""
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as name:
        folder = Path(name)
        # Run by root, Postgres is somebody else.
        os.chmod(folder, 0o755)
        with embedded.running(folder / "postgres") as url:
            migrate.migrate(url)
            database = Database(url)
            yield database, folder
            database.close()


def container(database: Database, folder: Path) -> Place:
    """A photo with one container."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "JPEG")
    file.seek(0)
    settings = Settings(home=folder, database_url=database.url)
    service = CountingService(settings, database, LocalStore(settings.files_dir, "bench"))
    with database.session() as session:
        user = accounts.ensure_admin(session).id
    service.receive([FileStorage(file, filename="bench.jpg")], user)
    with database.session() as session:
        photo = session.query(Photo).one()
        found = session.execute(
            insert(Container)
            .values(
                session_id=photo.session_id,
                image_id=photo.image_id,
                number=1,
                container_type="plug",
                is_segmented=False,
                polygon={"type": "Polygon", "coordinates": []},
                **dict.fromkeys(FIGURES, 0),
                is_empty_container=False,
                needs_review=False,
            )
            .returning(Container.id)
        ).scalar_one()
        return Place(photo.session_id, photo.image_id, found)


def detections(place: Place, count: int) -> list[Row]:
    """So many boxes on a large photo."""
    rng = np.random.default_rng(0)
    numbers = rng.uniform((0, 0, 20, 20, 0.3), (11600, 8600, 60, 60, 1), (count, 5)).tolist()
    keys = (place.session_id, place.image_id, place.container_id)
    return [(*keys, *values, "plant") for values in numbers]


def seconds(database: Database, way: Way, rows: list[Row]) -> float:
    """How long a way takes, its commit included; the rows are gone afterwards."""
    began = time.perf_counter()
    with database.session() as session:
        way(session, rows)
    taken = time.perf_counter() - began
    with database.session() as session:
        deleted = session.execute(delete(Detection)).rowcount  # type: ignore[attr-defined]
    assert deleted == len(rows), f"{deleted} rows were written, not {len(rows)}"
    return taken


def main() -> None:
    """Write the rows every way, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--detections", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with fresh_database() as (database, folder):
        rows = detections(container(database, folder), options.detections)
        # In turns, so that what else the machine does falls on all alike.
        rounds = [
            {name: seconds(database, way, rows) for name, way in WAYS.items()}
            for _ in range(options.repeat)
        ]
    best = {name: min(taken[name] for taken in rounds) for name in WAYS}
    table = Table(title=f"Writing {options.detections:,} detections, best of {options.repeat}")
    for column in ("way", "s", "rows/s", "times COPY"):
        table.add_column(column, justify="right")
    for name, taken in best.items():
        rate, times = options.detections / taken, taken / best["COPY"]
        table.add_row(name, f"{taken:.2f}", f"{rate:,.0f}", f"{times:.1f}")
    Console(file=sys.stdout).print(table)
    print(
        f"copy_s {best['COPY']:.2f} bulk_s {best['ORM bulk insert']:.2f} "
        f"objects_s {best['ORM objects']:.2f} "
        f"copy_faster_than_bulk {best['ORM bulk insert'] / best['COPY']:.1f}"
    )


if __name__ == "__main__":
    main()
