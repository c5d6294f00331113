"""What review reads: corrections, the state of a photo for its page, and the fitted scale."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting import overlays
from darkroom.counting.models import Container, Detection, Photo, PhotoSession
from darkroom.counting.review.drafts import Draft
from darkroom.counting.review.models import ConfidenceScale, Correction
from darkroom.queue.models import Run

Json = dict[str, Any]

OF_PLANTS = ("add", "remove", "move")


def error_scale(session: Session) -> float:
    """The factor on computed standard errors that corrections have shown to be right so far."""
    newest = select(ConfidenceScale.error_scale).order_by(ConfidenceScale.id.desc()).limit(1)
    return session.scalar(newest) or 1.0


def open_corrections(
    session: Session, photos: PhotoSession, image_id: UUID | None = None
) -> list[Correction]:
    """The drafts of a session, or of one of its photos: made, not undone, not applied."""
    query = select(Correction).where(
        Correction.session_id == photos.id,
        Correction.applied_at.is_(None),
        Correction.undone_at.is_(None),
    )
    if image_id is not None:
        query = query.where(Correction.image_id == image_id)
    return list(session.scalars(query.order_by(Correction.id)))


def undone_corrections(session: Session, photo: Photo) -> list[Correction]:
    """The drafts of a photo that can be made again, oldest first: nothing was done after them."""
    rows = session.scalars(
        select(Correction)
        .where(Correction.image_id == photo.image_id)
        .order_by(Correction.id.desc())
    )
    found: list[Correction] = []
    for row in rows:
        if row.undone_at is None:
            break
        found.insert(0, row)
    return found


def draft_of(row: Correction) -> Draft:
    """A correction of a plant as plain data."""
    return Draft.of(str(row.key), row.action, row.before, row.after)


def review_run(session: Session, photos: PhotoSession) -> Run | None:
    """The newest run that applies corrections of a session."""
    return session.get(Run, photos.review_run_id) if photos.review_run_id else None


def state_of(session: Session, photos: PhotoSession, photo: Photo) -> Json:
    """A photo's containers, plants and drafts as light JSON, for the page to work on."""
    run = review_run(session, photos)
    return {
        "width": photo.width,
        "height": photo.height,
        "busy": run is not None and not run.is_over,
        "containers": [_container(row) for row in _containers(session, photo)],
        "plants": _plants(session, photo),
        "corrections": [as_json(row) for row in open_corrections(session, photos, photo.image_id)],
        "undone": [as_json(row) for row in undone_corrections(session, photo)],
    }


def as_json(row: Correction) -> Json:
    """A correction as its sender told it."""
    after, before = row.after or {}, row.before or {}
    told = {
        "plant": before.get("plant"),
        "container": row.container_id,
        "total": after.get("total"),
        "x": after.get("center_x"),
        "y": after.get("center_y"),
        "width": after.get("width_px"),
        "height": after.get("height_px"),
    }
    some = {name: value for name, value in told.items() if value is not None}
    return {"key": str(row.key), "action": row.action, **some}


def _containers(session: Session, photo: Photo) -> list[Container]:
    query = select(Container).where(Container.image_id == photo.image_id)
    return list(session.scalars(query.order_by(Container.number)))


def _container(row: Container) -> Json:
    return {
        "id": row.id,
        "number": row.number,
        "rings": overlays.rings(row.polygon),
        "detected": row.total_detected,
        "estimated": row.total_estimated,
        "reviewed": row.total_reviewed,
        "needs_review": row.needs_review,
    }


def _plants(session: Session, photo: Photo) -> list[list[Any]]:
    # Plain tuples: a photo may hold thousands.
    query = select(
        Detection.id,
        Detection.center_x,
        Detection.center_y,
        Detection.width_px,
        Detection.height_px,
        Detection.source,
    ).where(Detection.image_id == photo.image_id)
    return [
        [key, round(x, 1), round(y, 1), round(width, 1), round(height, 1), source]
        for key, x, y, width, height, source in session.execute(query)
    ]
