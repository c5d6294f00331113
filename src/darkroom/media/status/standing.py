"""What the offers of the services are told by, read from the rows."""

from sqlalchemy.orm import Session

from darkroom.db.statements import statement
from darkroom.media.status import runtimes
from darkroom.media.status.offers import Standing
from darkroom.queue.gates import reading
from darkroom.settings import Settings

CLOSED = {"open", "isolated"}
"""States of a breaker that lets no call through."""


def standing(session: Session, settings: Settings) -> Standing:
    """How things stand now."""
    lanes = frozenset(session.scalars(statement("media/manned_lanes")))
    return Standing(settings, runtimes.living(session), lanes, _failing(session))


def _failing(session: Session) -> frozenset[str]:
    """The providers that have a breaker which lets no call through."""
    found = reading.breakers(session)
    return frozenset(each.provider for each in found if each.state in CLOSED)
