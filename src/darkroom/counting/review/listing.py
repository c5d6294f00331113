"""The list of counts that people look at: those that need it first, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session

from darkroom.counting.models import Container, Photo, PhotoSession
from darkroom.counting.places.models import StorageLocation
from darkroom.counting.review.models import Correction
from darkroom.queue.models import Run

NEEDS, DRAFTS, REVIEWED, ALL = "needs", "drafts", "reviewed", "all"
SHOWN = (NEEDS, DRAFTS, REVIEWED, ALL)


@dataclass(frozen=True)
class Filters:
    """What is listed: SHOWN, whose (None: everybody's), where, and a part of the name."""

    show: str = NEEDS
    owner_id: int | None = None
    location_id: int | None = None
    text: str = ""


@dataclass(frozen=True)
class Cursor:
    """The last row that was seen: the list goes on after it."""

    needs_review: bool
    created_at: datetime
    id: int

    @classmethod
    def of(cls, photos: PhotoSession) -> "Cursor":
        """The place of a session in the list."""
        return cls(photos.needs_review, photos.created_at, photos.id)


@dataclass(frozen=True)
class Row:
    """A count in the list: its session and run, the location, what waits on it."""

    photos: PhotoSession
    title: str
    location: str | None
    containers: int
    drafts: int
    thumbnail_key: str | None


def page(session: Session, filters: Filters, after: Cursor | None, limit: int) -> list[Row]:
    """Counts that stand: first those that need review, each part newest first."""
    query = _filtered(_columns(), filters)
    order = tuple_(PhotoSession.needs_review, PhotoSession.created_at, PhotoSession.id)
    if after is not None:
        query = query.where(order < tuple_(after.needs_review, after.created_at, after.id))
    newest = (
        PhotoSession.needs_review.desc(),
        PhotoSession.created_at.desc(),
        PhotoSession.id.desc(),
    )
    return [Row(*row) for row in session.execute(query.order_by(*newest).limit(limit))]


def locations(session: Session) -> Sequence[tuple[int, str]]:
    """The locations that anything was counted at, by code, for the filter."""
    counted = exists().where(PhotoSession.storage_location_id == StorageLocation.id)
    query = select(StorageLocation.id, StorageLocation.code).where(counted)
    return [(key, code) for key, code in session.execute(query.order_by(StorageLocation.code))]


def _columns() -> Select[Any]:
    flagged = select(func.count()).where(
        Container.session_id == PhotoSession.id, Container.needs_review
    )
    drafts = select(func.count()).where(_open())
    picture = select(Photo.s3_key_thumbnail).where(
        Photo.session_id == PhotoSession.id, Photo.position == 1
    )
    columns = (
        PhotoSession,
        Run.title,
        StorageLocation.code,
        flagged.scalar_subquery(),
        drafts.scalar_subquery(),
        picture.scalar_subquery(),
    )
    return (
        select(*columns)
        .join(Run, Run.id == PhotoSession.run_id)
        .outerjoin(StorageLocation, StorageLocation.id == PhotoSession.storage_location_id)
    )


def _filtered(query: Select[Any], filters: Filters) -> Select[Any]:
    query = query.where(PhotoSession.counted_at.is_not(None), _shown(filters.show))
    if filters.owner_id is not None:
        query = query.where(PhotoSession.user_id == filters.owner_id)
    if filters.location_id is not None:
        query = query.where(PhotoSession.storage_location_id == filters.location_id)
    if filters.text:
        query = query.where(Run.title.icontains(filters.text, autoescape=True))
    return query


def _shown(show: str) -> Any:
    return {
        # Counts made again are trials: they go to no stock.
        NEEDS: and_(PhotoSession.needs_review, PhotoSession.rerun_of_id.is_(None)),
        DRAFTS: exists().where(_open()),
        REVIEWED: and_(
            PhotoSession.total_reviewed.is_not(None), PhotoSession.needs_review.is_(False)
        ),
        ALL: or_(PhotoSession.needs_review, PhotoSession.needs_review.is_(False)),
    }[show]


def _open() -> Any:
    return and_(
        Correction.session_id == PhotoSession.id,
        Correction.applied_at.is_(None),
        Correction.undone_at.is_(None),
    )
