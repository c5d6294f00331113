"""What is asked of the database while something goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from darkroom.db.sessions import Database


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    """The SQL statements in their order, filled until the block ends."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
