"""Removes files that nothing refers to, and never one that something may yet refer to.

Rows go first: an asset older than the grace time that no row of any table refers to (a foreign key
is what refers; an original is also held by what was derived from it). Files follow: those without a
row, stored longer ago than the grace time. A crash between the two leaves a file without a row, as
a crash between storing and recording does; the next sweep finds either. A file on its way to a row
is young, as whoever stores it, or relies on one that is there, makes it so; so is never hit.

A store that another installation uses as well (a copied database, a bucket named twice) is left
alone: what has no row here may have one there. Each installation leaves its mark in the store and
looks for others' before it removes anything.
"""

import io
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import Conflict, Invalid
from darkroom.storage import temporary
from darkroom.storage.store import Store

PREFIXES = (
    *("assets/", "uploads/", "catalog/", "variants/", "publishing/", "media/"),
    "doctor/",
)
"""The folders whose files are Darkroom's; others in the same bucket are never looked at."""

MARKS = "installations/"
MARK_LIFETIME = timedelta(days=60)
"""An installation that has not swept for so long is gone."""

SHORTEST_GRACE = timedelta(days=1)
"""Longer than any upload or step takes between storing a file and recording it."""

BATCH = 500
UUIDS = ARRAY(Uuid)

Counts = Counter[str]


def sweep(database: Database, store: Store, grace: timedelta) -> Iterator[Counts]:
    """Remove orphaned rows, then orphaned files; yields what each batch removed.

    Raises
    ------
    Conflict
        When another installation uses the same store; nothing is removed.
    """
    claim(database, store)
    grace = max(grace, SHORTEST_GRACE)
    for ids in _orphans(database, store.bucket, grace):
        yield Counter(assets=_delete_rows(database, ids))
    for prefix in PREFIXES:
        for keys in _unknown(database, store, prefix, grace):
            yield Counter(files=sum(_discarded(store, key, grace) for key in keys))
        yield Counter(unfinished=store.clear_unfinished(prefix, grace))


def count(database: Database, store: Store, grace: timedelta) -> Counts:
    """What `sweep` would remove now; files of rows that go with it are not counted."""
    grace = max(grace, SHORTEST_GRACE)
    rows = sum(len(ids) for ids in _orphans(database, store.bucket, grace))
    files = [keys for prefix in PREFIXES for keys in _unknown(database, store, prefix, grace)]
    return Counter(assets=rows, files=sum(map(len, files)))


def claim(database: Database, store: Store) -> None:
    """Leave this installation's mark in the store.

    Raises
    ------
    Conflict
        When there is the mark of another one, not older than `MARK_LIFETIME`.
    """
    words = io.BytesIO(b"A Darkroom that keeps its files here.\n")
    store.put(_mark(database), words, "text/plain")
    refuse_others(database, store)


def refuse_others(database: Database, store: Store) -> None:
    """Raise `Conflict` when another installation left its mark, within `MARK_LIFETIME`."""
    own, newest = _mark(database), datetime.now(UTC) - MARK_LIFETIME
    others = [
        entry.key for entry in store.listing(MARKS) if entry.key != own and entry.stored_at > newest
    ]
    if others:
        raise Conflict(
            "Another Darkroom keeps its files in the same store, so nothing is removed from it. "
            f"If that one is gone, delete {', '.join(others)} from the store."
        )


def installation(database: Database) -> str:
    """What tells this database from every other, also from a copy of it."""
    with database.session() as session:
        return str(session.execute(statement("storage/installation")).scalar_one())


def _mark(database: Database) -> str:
    return MARKS + installation(database)


def delete_temp_files(folder: Path, older_than: timedelta) -> Counts:
    """Remove what killed processes left in the folder for temporary files.

    Steps' folders go as soon as their owner is dead, and never before; all else by its age.
    """
    cleared = temporary.clear_abandoned(folder)
    return Counter(temp_files=cleared + sum(_removed(path) for path in _stale(folder, older_than)))


def count_temp_files(folder: Path, older_than: timedelta) -> Counts:
    """How much `delete_temp_files` would remove."""
    abandoned = temporary.count_abandoned(folder)
    return Counter(temp_files=abandoned + len(_stale(folder, older_than)))


def _orphans(database: Database, bucket: str, grace: timedelta) -> Iterator[list[UUID]]:
    """Page by page, the old assets that nothing refers to."""
    after = UUID(int=0)
    page = {"bucket": bucket, "grace_seconds": grace.total_seconds(), "size": BATCH}
    while True:
        with database.session() as session:
            found = session.scalars(statement("storage/old_assets"), {**page, "after": after})
            ids = list(found)
            orphans = _asked(session, "storage/unreferenced", ids)
        if orphans:
            yield orphans
        if len(ids) < BATCH:
            return
        after = ids[-1]


def _delete_rows(database: Database, ids: list[UUID]) -> int:
    with database.session() as session:
        held = _asked(session, "storage/hold_assets", ids)
        # A statement of its own: it sees who came to refer to them before they were held.
        return int(_asked(session, "storage/delete_unreferenced", held)[0])


def _unknown(
    database: Database, store: Store, prefix: str, grace: timedelta
) -> Iterator[list[str]]:
    """Batch by batch, the keys of old files without a row."""
    before = datetime.now(UTC) - grace
    old = (entry.key for entry in store.listing(prefix) if entry.stored_at < before)
    while keys := list(islice(old, BATCH)):
        with database.session() as session:
            asked = {"bucket": store.bucket, "keys": keys}
            yield list(session.scalars(statement("storage/unknown_keys"), asked))


def _discarded(store: Store, key: str, grace: timedelta) -> bool:
    # What cannot be one of our keys was not stored by us.
    with suppress(Invalid):
        return store.discard(key, grace)
    return False


def _asked(session: Session, name: str, ids: list[UUID]) -> list[Any]:
    statement_of_ids = statement(name).bindparams(bindparam("ids", ids, UUIDS))
    return list(session.scalars(statement_of_ids))


def _stale(folder: Path, older_than: timedelta) -> list[Path]:
    before = datetime.now(UTC).timestamp() - older_than.total_seconds()
    found = folder.iterdir() if folder.is_dir() else ()
    loose = (path for path in found if not path.name.startswith(temporary.PREFIX))
    return [path for path in loose if _touched(path) < before]


def _touched(path: Path) -> float:
    """When a file, or anything in a folder, was last written; never for one that is gone."""
    times = [inf]
    with suppress(FileNotFoundError):
        times = [item.lstat().st_mtime for item in (path, *path.rglob("*"))]
    return max(times)


def _removed(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return not path.exists()
