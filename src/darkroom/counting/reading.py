"""What the steps of counting read: sessions, photos, and what is drawn over a photo."""

from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from darkroom.counting.drawing import Legend
from darkroom.counting.geometry import Floats, MultiPolygon
from darkroom.counting.models import Detection, Estimation, Photo, PhotoSession
from darkroom.counting.rerun import knobs
from darkroom.counting.service import folder
from darkroom.db.sessions import Database
from darkroom.settings import Settings


def session_row(session: Session, session_id: UUID) -> PhotoSession:
    """The session with this public id, locked."""
    found = select(PhotoSession).where(PhotoSession.session_id == session_id)
    return session.scalars(found.with_for_update()).one()


def photo_rows(session: Session, session_pk: int) -> list[Photo]:
    """The photos of a session in order."""
    found = select(Photo).where(Photo.session_id == session_pk).order_by(Photo.position)
    return list(session.scalars(found))


def photos_of(database: Database, session_id: UUID) -> list[Photo]:
    """The photos of a session in order, detached."""
    with database.session() as session:
        return photo_rows(session, session_row(session, session_id).id)


@dataclass(frozen=True)
class Opened:
    """A photo as a step works on it.

    Attributes
    ----------
    photo : its row, detached
    photos : how many its session has
    settings : those it is counted with: the installation's, but for its session's own
    folder : where what is made of it lies; a count made again has a folder of its own
    """

    photo: Photo
    photos: int
    settings: Settings
    folder: str


def opened(database: Database, image_id: UUID, base: Settings) -> Opened:
    """A photo and what its session says of it; `base` are the installation's settings."""
    sibling = aliased(Photo)
    siblings = select(func.count()).where(sibling.session_id == Photo.session_id).scalar_subquery()
    found = select(Photo, PhotoSession, siblings).join(
        PhotoSession, Photo.session_id == PhotoSession.id
    )
    with database.session() as session:
        photo, owner, photos = session.execute(found.where(Photo.image_id == image_id)).one()
        return Opened(
            photo, photos, _settings(owner, base), folder(owner.session_id, photo.position)
        )


def settings_of(database: Database, photo: Photo, base: Settings) -> Settings:
    """The settings that a photo is counted with: the installation's, but for its session's own."""
    with database.session() as session:
        return _settings(session.get_one(PhotoSession, photo.session_id), base)


def _settings(owner: PhotoSession, base: Settings) -> Settings:
    return replace(base, counting=knobs.applied(base.counting, owner.settings))


def overlays(database: Database, image_id: UUID) -> tuple[Floats, list[MultiPolygon], Legend]:
    """What is drawn over a photo: boxes (N, 4) x1, y1, x2, y2, regions, and the figures."""
    with database.session() as session:
        photo = session.get_one(Photo, image_id)
        boxes, confidence = _boxes(session, image_id)
        regions = session.scalars(
            select(Estimation.vegetation_polygon)
            .where(Estimation.image_id == image_id, Estimation.estimated_count > 0)
            .where(Estimation.vegetation_polygon.is_not(None))
        ).all()
    legend = Legend(photo.total_detected, photo.total_estimated, confidence)
    return boxes, [_region(region) for region in regions if region], legend


def _boxes(session: Session, image_id: UUID) -> tuple[Floats, float]:
    rows = session.execute(
        select(
            Detection.center_x,
            Detection.center_y,
            Detection.width_px,
            Detection.height_px,
            Detection.confidence,
        ).where(Detection.image_id == image_id)
    ).all()
    found = np.array([tuple(row) for row in rows], float).reshape(-1, 5)
    middles, sizes = found[:, :2], found[:, 2:4]
    boxes = np.hstack([middles - sizes / 2, middles + sizes / 2])
    return boxes, float(found[:, 4].mean()) if len(found) else 0.0


def _region(stored: dict[str, object]) -> MultiPolygon:
    return MultiPolygon(type="MultiPolygon", coordinates=stored["coordinates"])  # type: ignore[typeddict-item]
