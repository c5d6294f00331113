"""A session that waits for its location: what may be chosen, and the choice."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.models import Photo, PhotoSession
from darkroom.counting.places import locating, locations
from darkroom.counting.places.locations import Option
from darkroom.db.statements import statement
from darkroom.errors import Conflict
from darkroom.queue import bulk

WAITING = "needs_location"


@dataclass(frozen=True)
class Candidate:
    """A location to choose, and how many metres it is from the photos; None where not known."""

    location: Option
    distance: float | None


@dataclass(frozen=True)
class Question:
    """What is asked of whoever chooses.

    Parameters
    ----------
    doubt
        Why the photos do not say it themselves (see `locating.Verdict`).
    positions
        Latitude and longitude of the photos that have them.
    """

    doubt: str | None
    candidates: list[Candidate]
    positions: list[tuple[float, float]]


def question(session: Session, photos: PhotoSession, within: float) -> Question:
    """The candidates, nearest first; those whose place is not known last, by their codes."""
    rows = session.scalars(select(Photo).where(Photo.session_id == photos.id)).all()
    positions = locating.positions(rows)
    lookup = locations.lookup(session)
    options = locations.options(session)
    distances: dict[int, float] = {}
    for latitude, longitude in positions:
        for hit in lookup.nearest(latitude, longitude, len(options)):
            distances[hit.id] = min(hit.distance, distances.get(hit.id, hit.distance))
    doubt = locating.verdict(lookup, positions, within).doubt
    return Question(doubt, _sorted(options, distances), positions)


def choose(session: Session, photos: PhotoSession, location: str | int) -> None:
    """Settle the location of a session that waits for it, and have it counted.

    Raises
    ------
    NotFound, Conflict
        When there is no such location, when it is switched off, or when the session does not wait.
    """
    found = locations.given(session, location)
    held = _held(session, photos)
    held.storage_location_id, held.location_source = found.id, "chosen"
    _go_on(session, held)


def leave_out(session: Session, photos: PhotoSession) -> None:
    """Have a session that waits counted without a location, and so without stock.

    Raises
    ------
    Conflict
        When it does not wait.
    """
    held = _held(session, photos)
    held.without_location = True
    _go_on(session, held)


def _sorted(options: Sequence[Option], distances: dict[int, float]) -> list[Candidate]:
    far = float("inf")
    candidates = [Candidate(option, distances.get(option.id)) for option in options]
    return sorted(candidates, key=lambda one: far if one.distance is None else one.distance)


def _held(session: Session, photos: PhotoSession) -> PhotoSession:
    """The session locked; its step first, as the engine locks them."""
    _location_steps(session, photos.run_id)
    held = session.get_one(PhotoSession, photos.id, with_for_update=True, populate_existing=True)
    if held.status != WAITING:
        raise Conflict("This count does not wait for a location.", locations.FIELD)
    return held


def _go_on(session: Session, held: PhotoSession) -> None:
    held.status = "processing"
    session.flush()
    # Asked for again: the step may have put itself off anew while we waited for its lock.
    bulk.run_now(session, _location_steps(session, held.run_id))


def _location_steps(session: Session, run_id: UUID) -> list[int]:
    found = session.scalars(statement("counting/hold_location_steps"), {"run_id": run_id})
    return list(found)
