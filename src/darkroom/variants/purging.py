"""Removing discarded variants for good: their rows stay, their files go by the sweep of orphans."""

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult

from darkroom.db.sessions import Database
from darkroom.db.statements import statement


def purge(database: Database, age: timedelta) -> int:
    """Let go of the files of variants that were discarded so long ago; answers of how many."""
    with database.session() as session:
        done = session.execute(statement("variants/purge"), {"seconds": age.total_seconds()})
    return int(cast("CursorResult[Any]", done).rowcount)


def count(database: Database, age: timedelta) -> int:
    """How many variants `purge` would let go of."""
    with database.session() as session:
        asked = {"seconds": age.total_seconds()}
        return int(session.execute(statement("variants/count_discarded"), asked).scalar_one())
