"""Pages of lists that are newest first: where the next one begins, as their addresses say it."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from flask import request

from darkroom.errors import Invalid
from darkroom.web.words import N_


class Dated(Protocol):
    """A row of such a list."""

    @property
    def id(self) -> UUID:
        """Which one it is."""

    @property
    def created_at(self) -> datetime:
        """When it was made."""


def mark(row: Dated) -> str:
    """What `before` says to go on behind this row."""
    return f"{row.created_at.isoformat()}_{row.id}"


def last_seen() -> tuple[datetime, UUID] | None:
    """Behind which (created_at, id) the address goes on; None for the newest page."""
    given = request.args.get("before")
    if not given:
        return None
    try:
        moment, row_id = given.rsplit("_", 1)
        # A plus that was not quoted arrives as a space.
        return datetime.fromisoformat(moment.replace(" ", "+")), UUID(row_id)
    except ValueError:
        raise Invalid(N_("“before” must be what “next” said."), "before") from None
