"""Deletes answers that were paid for long ago: rows, files, and what killed workers spooled.

Rows go first. What a crash leaves between the two is a file without a row, which goes by its age.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.providers import spool
from darkroom.storage.store import Store
from darkroom.storage.sweeping import delete_temp_files, installation

BATCH = 500
SHORTEST = timedelta(days=1)
"""Longer than any step is tried again on purpose."""

Counts = Counter[str]


def delete_answers(
    database: Database, store: Store, folder: Path, age: timedelta
) -> Iterator[Counts]:
    """Delete answers older than that; yields what each batch deleted.

    Parameters
    ----------
    folder
        The spool of this machine.
    """
    age = max(age, SHORTEST)
    while rows := _rows(database, age):
        yield Counter(answers=rows)
    for entry in store.listing(spool.prefix(installation(database))):
        if store.discard(entry.key, age):
            yield Counter(files=1)
    yield Counter(spooled=delete_temp_files(folder, age)["temp_files"])


def _rows(database: Database, age: timedelta) -> int:
    asked = {"seconds": age.total_seconds(), "size": BATCH}
    with database.session() as session:
        return int(session.execute(statement("providers/delete_answers"), asked).scalar_one())
