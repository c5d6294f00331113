"""A session's totals, from what its photos' containers hold."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.counting.confidence import Confidence, together
from darkroom.counting.models import Container, Photo, PhotoSession
from darkroom.db.statements import statement


def total(session: Session, photos: PhotoSession) -> None:
    """Write the session's totals. Can be run again at any time; the rows below are the truth."""
    containers = list(session.scalars(select(Container).where(Container.session_id == photos.id)))
    photos.total_detected = sum(row.total_detected for row in containers)
    photos.total_estimated = sum(row.total_estimated for row in containers)
    photos.total_empty_containers = sum(row.is_empty_container for row in containers)
    photos.total_unbiased = sum(row.total_unbiased for row in containers)
    photos.interval_low, photos.interval_high = _interval(containers)
    photos.category_counts = _category_counts(session, photos.id)
    photos.avg_confidence = session.execute(
        statement("counting/average_confidence"), {"session_id": photos.id}
    ).scalar_one()
    photos.needs_review = any(row.needs_review for row in containers) or _lost_photos(
        session, photos.id
    )
    photos.counted_at = func.now()


def _interval(containers: list[Container]) -> tuple[float, float]:
    parts = [
        Confidence(row.total_unbiased, row.standard_error, row.total_detected) for row in containers
    ]
    return together(parts).interval


def _category_counts(session: Session, session_pk: int) -> dict[str, int]:
    rows = session.execute(statement("counting/category_counts"), {"session_id": session_pk})
    return {name: plants for name, plants in rows.tuples()}


def _lost_photos(session: Session, session_pk: int) -> bool:
    failed = select(Photo).where(Photo.session_id == session_pk, Photo.status == "failed")
    return session.scalars(failed).first() is not None
