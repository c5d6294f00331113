"""A session's totals, from what its photos' containers hold."""

from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.counting import classes
from darkroom.counting.confidence import Confidence, side_by_side, together
from darkroom.counting.models import Container, Json, Photo, PhotoSession
from darkroom.db.statements import statement

UNSURE = "the count is not sure"
LOST = "This photo was not counted."


def total(session: Session, photos: PhotoSession, model: str | None = None) -> None:
    """Write the session's totals. Can be run again at any time; the rows below are the truth.

    `model` is the version of the plant weights, where they have just been used.
    """
    containers = _containers(session, photos.id)
    count = _together(containers)
    photos.total_detected = sum(row.total_detected for row in containers)
    photos.total_estimated = sum(row.total_estimated for row in containers)
    photos.total_empty_containers = sum(row.is_empty_container for row in containers)
    photos.total_reviewed = _reviewed(containers)
    photos.total_unbiased, (photos.interval_low, photos.interval_high) = count.total, count.interval
    photos.category_counts = _category_counts(session, photos.id)
    photos.avg_confidence = session.execute(
        statement("counting/average_confidence"), {"session_id": photos.id}
    ).scalar_one()
    photos.review_reasons = _reasons(session, photos.id, containers)
    photos.needs_review = bool(photos.review_reasons)
    classes.write(session, photos, model)
    photos.counted_at = func.now()


def _containers(session: Session, session_pk: int) -> list[Container]:
    query = (
        select(Container)
        .where(Container.session_id == session_pk)
        .order_by(Container.image_id, Container.number)
    )
    return list(session.scalars(query))


def _reviewed(containers: list[Container]) -> int | None:
    """What people say stands there, once they said it of any container."""
    if all(row.total_reviewed is None for row in containers):
        return None
    return sum(row.total for row in containers)


def _together(containers: list[Container]) -> Confidence:
    """The count of all photos: a total that a person entered of a container is sure."""
    photos = groupby(containers, lambda row: row.image_id)
    return together(side_by_side(_count(row) for row in rows) for _, rows in photos)


def _count(row: Container) -> Confidence:
    # Who accepts an estimate has not counted its plants.
    is_estimate = row.total_estimated > 0 and row.is_as_counted
    if row.total_reviewed is None or is_estimate:
        return Confidence(row.total_unbiased, row.standard_error)
    return Confidence(row.total_reviewed, 0.0)


def _category_counts(session: Session, session_pk: int) -> dict[str, int]:
    rows = session.execute(statement("counting/category_counts"), {"session_id": session_pk})
    return {name: plants for name, plants in rows.tuples()}


def _reasons(session: Session, session_pk: int, containers: list[Container]) -> list[Json]:
    """Why a person has to look: photos that nobody accepted yet, and their containers.

    Each is {photo, container, code, text, values}; `photo` is its position, `container` the number
    of one or null.
    """
    found: list[Json] = []
    query = select(Photo).where(Photo.session_id == session_pk).order_by(Photo.position)
    for photo in session.scalars(query):
        of_photo = [] if photo.reviewed_at else _of_photo(photo)
        found += [{"photo": photo.position, "container": None, **reason} for reason in of_photo]
        found += [
            {"photo": photo.position, "container": row.number, **_of_container(row)}
            for row in containers
            if row.image_id == photo.image_id and row.needs_review
        ]
    return found


def _of_photo(photo: Photo) -> list[Json]:
    lost = [{"code": "lost", "text": LOST, "values": {}}] if photo.status == "failed" else []
    return lost or photo.review_reasons


def _of_container(row: Container) -> Json:
    return {"code": "container", "text": row.review_reason or UNSURE, "values": {}}
