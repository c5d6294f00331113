"""Which location a session shows, and what is expected there.

A location given at upload wins. Else every photo with a position must lead to the same one. Where
they do not, or lead nowhere, somebody has to choose; but in an installation without locations
nothing waits for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.counting.models import Photo, PhotoSession
from darkroom.counting.places import locations
from darkroom.counting.places.lookup import Hit, Lookup
from darkroom.counting.places.models import StorageLocationConfig
from darkroom.db.statements import statement

PUT_OFF = timedelta(days=365)
"""A choice comes sooner or never; until then the step wakes only when it is made."""

Position = tuple[float, float]
"""Latitude and longitude, in degrees."""

WITHOUT_POSITION, TOO_FAR, APART = "without_position", "too_far", "apart"


@dataclass(frozen=True)
class Verdict:
    """What the photos say: a location and how it was found, or why somebody has to choose.

    Parameters
    ----------
    doubt
        None, or why it is not sure: no photo has a position, one lies too far from any location,
        or they lie in different ones.
    """

    location_id: int | None = None
    source: str | None = None
    distance: float | None = None
    doubt: str | None = None


def decide(session: Session, positions: Sequence[Position], within: float) -> Verdict:
    """Look positions of photos up; `within` metres a location counts as the nearest.

    All locations are read: call it before the transaction that writes what comes of it.
    """
    if not locations.any_in_use(session):
        return Verdict()
    return verdict(locations.lookup(session), positions, within)


def positions(photos: Sequence[Photo]) -> list[Position]:
    """Where the photos were taken, of those that say it."""
    return [
        (photo.gps_latitude, photo.gps_longitude)
        for photo in photos
        if photo.gps_latitude is not None and photo.gps_longitude is not None
    ]


def verdict(lookup: Lookup, positions: Sequence[Position], within: float) -> Verdict:
    """What positions say together."""
    if not positions:
        return Verdict(doubt=WITHOUT_POSITION)
    found = [lookup.find(latitude, longitude, within) for latitude, longitude in positions]
    hits = [hit for hit in found if hit is not None]
    if len(hits) < len(found):
        return Verdict(doubt=TOO_FAR)
    if len({hit.id for hit in hits}) > 1:
        return Verdict(doubt=APART)
    return _agreed(hits)


def _agreed(hits: Sequence[Hit]) -> Verdict:
    distance = max(hit.distance for hit in hits)
    if distance == 0:
        return Verdict(hits[0].id, "gps")
    return Verdict(hits[0].id, "nearest", distance)


def settle(session: Session, photos: PhotoSession, found: Verdict) -> bool:
    """Write the verdict, and what is expected at the location, into a session that is locked.

    False when it has to wait for somebody to choose; a choice already made stands.
    """
    if photos.storage_location_id is None and not photos.without_location:
        if found.doubt:
            photos.status = "needs_location"
            return False
        photos.storage_location_id, photos.location_source = found.location_id, found.source
        photos.location_distance_m = found.distance
    photos.status = "processing"
    # A count made again keeps what was expected the first time.
    if photos.rerun_of_id is None:
        _expect(session, photos)
    return True


def _expect(session: Session, photos: PhotoSession) -> None:
    config = session.scalar(
        select(StorageLocationConfig).where(
            StorageLocationConfig.storage_location_id == photos.storage_location_id
        )
    )
    if config is None:
        return
    photos.storage_location_config_id = config.id
    photos.expected_product_id = config.expected_product_id
    photos.expected_product_state_id = config.expected_product_state_id
    photos.expected_container_type_id = config.expected_container_type_id
    photos.ml_user_id = config.ml_user_id


def put_off(session: Session) -> datetime:
    """Until when a step waits for a choice, by the database's clock."""
    return session.execute(select(func.now())).scalar_one() + PUT_OFF


def say_why(session: Session, run_id: UUID) -> None:
    """Say of the run's step that was put off what it waits for."""
    session.execute(statement("counting/wait_for_location"), {"run_id": run_id})
