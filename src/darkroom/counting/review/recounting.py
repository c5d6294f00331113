"""Applying drafts: read, estimated again outside of any transaction, and written in one.

Between reading and writing a draft may be undone or a photo counted anew. So the writing, under the
lock of the session's row, first looks whether everything is as it was read, and has the step done
again where it is not. Thus no draft is applied twice, and none that its author took back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import numpy as np
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, undefer

from darkroom.counting import reading as counting_reading
from darkroom.counting.bands import ContainerEstimate
from darkroom.counting.containers import Container as Outline
from darkroom.counting.containers import Kind
from darkroom.counting.geometry import Floats
from darkroom.counting.models import Container, Detection, Estimation, Photo, PhotoSession
from darkroom.counting.review import drafts, estimating, reading
from darkroom.counting.review.drafts import Changes, Plant
from darkroom.counting.review.estimating import Corrected, Standing
from darkroom.counting.review.models import Correction
from darkroom.counting.review.rebasing import outline
from darkroom.counting.stock import service as stock
from darkroom.counting.writing import figures, write_estimations
from darkroom.db.sessions import Database
from darkroom.errors import NotNow

REASON = "Review of the count."

Estimates = Mapping[int, ContainerEstimate]


@dataclass(frozen=True)
class Sheet:
    """A photo whose plants people changed: its row, containers, and what became of its plants."""

    photo: Photo
    standing: Sequence[Standing]
    changes: Changes
    corrected: Corrected


@dataclass(frozen=True)
class Opened:
    """A session's drafts as they were read: their ids, its containers' ids, the changed photos.

    `user_id` is whose draft is the newest; None without any.
    """

    corrections: tuple[int, ...]
    containers: tuple[int, ...]
    sheets: Sequence[Sheet]
    user_id: int | None


def opened(database: Database, session_id: UUID) -> Opened:
    """What is to be applied to a session now, detached."""
    with database.session() as session:
        photos = counting_reading.session_row(session, session_id)
        rows = reading.open_corrections(session, photos)
        touched = {row.image_id for row in rows if row.action in reading.OF_PLANTS}
        sheets = [
            _sheet(session, photo)
            for photo in counting_reading.photo_rows(session, photos.id)
            if photo.image_id in touched
        ]
        return Opened(*_shape(session, photos, rows), sheets, rows[-1].user_id if rows else None)


def apply(session: Session, photos: PhotoSession, read: Opened, estimates: Estimates) -> set[UUID]:
    """Write what was read and estimated into a locked session; answers the photos to draw again.

    Raises
    ------
    NotNow
        When something has changed since it was read.
    """
    rows = reading.open_corrections(session, photos)
    if _shape(session, photos, rows) != (read.corrections, read.containers):
        raise NotNow("The corrections or the count have changed meanwhile.")
    for sheet in read.sheets:
        _write_plants(session, sheet, rows)
    containers = {row.id: row for row in _containers(session, photos)}
    _write_estimates(session, containers, estimates)
    for row in rows:
        _conclude(session, row, containers)
        row.applied_at = func.now()
    session.flush()
    _add_up(session, photos, containers.values())
    return {sheet.photo.image_id for sheet in read.sheets}


def enter_stock(session: Session, photos: PhotoSession, user_id: int, zone: str) -> None:
    """Bring the stock to the reviewed total, once nothing of the count is left to be looked at."""
    if photos.needs_review and stock.batch_of(session, photos) is None:
        return
    stock.adjust_to(session, photos, photos.total, user_id, REASON, zone)


def _shape(
    session: Session, photos: PhotoSession, rows: Sequence[Correction]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    containers = select(Container.id).where(Container.session_id == photos.id)
    ids = session.scalars(containers.order_by(Container.id))
    return tuple(row.id for row in rows), tuple(ids)


def _sheet(session: Session, photo: Photo) -> Sheet:
    pending, left = _corrections(session, photo)
    plants = _plants(session, photo)
    now = list(_now(plants, pending))
    changed = [*pending.left.values(), *pending.moved.values(), *pending.added.values()]
    return Sheet(
        photo,
        _standing(session, photo),
        pending,
        Corrected(_boxes(now), _scores(now), _boxes(changed), _boxes(left)),
    )


def _corrections(session: Session, photo: Photo) -> tuple[Changes, list[Plant]]:
    """The drafts of a photo, and the places that people ever cleared."""
    rows = session.scalars(
        select(Correction)
        .where(Correction.image_id == photo.image_id, Correction.undone_at.is_(None))
        .where(Correction.action.in_(reading.OF_PLANTS))
        .order_by(Correction.id)
    ).all()
    pending = drafts.together(reading.draft_of(row) for row in rows if row.applied_at is None)
    ever = drafts.together(reading.draft_of(row) for row in rows)
    return pending, list(ever.left.values())


def _plants(session: Session, photo: Photo) -> dict[int, Plant]:
    columns = [getattr(Detection, name) for name in Plant.__dataclass_fields__]
    query = select(Detection.id, *columns).where(Detection.image_id == photo.image_id)
    return {key: Plant(*values) for key, *values in session.execute(query.order_by(Detection.id))}


def _now(plants: Mapping[int, Plant], changes: Changes) -> Iterable[Plant]:
    for key, plant in plants.items():
        if key not in changes.removed:
            yield changes.moved.get(key, plant)
    yield from changes.added.values()


def _standing(session: Session, photo: Photo) -> list[Standing]:
    query = select(Container).where(Container.image_id == photo.image_id).order_by(Container.number)
    return [
        Standing(
            row.id,
            Outline(outline(row), cast(Kind, row.container_type), row.confidence or 0.0),
            _faint(row),
        )
        for row in session.scalars(query.options(undefer(Container.faint)))
    ]


def _faint(row: Container) -> Floats | None:
    # Where nothing seemed to be missing the detector did not look for more, and nothing is.
    if row.faint is None and row.total_estimated:
        return None
    return np.array(row.faint or [], float).reshape(-1, 5)


def _boxes(plants: Iterable[Plant]) -> Floats:
    return np.array([plant.box for plant in plants], float).reshape(-1, 4)


def _scores(plants: Iterable[Plant]) -> Floats:
    return np.array([plant.confidence for plant in plants], float)


def _containers(session: Session, photos: PhotoSession) -> list[Container]:
    query = select(Container).where(Container.session_id == photos.id)
    return list(session.scalars(query.order_by(Container.id)))


def _write_plants(session: Session, sheet: Sheet, rows: Sequence[Correction]) -> None:
    changes = sheet.changes
    session.execute(delete(Detection).where(Detection.id.in_(changes.removed)))
    moved = _owned(sheet, list(changes.moved.items()))
    for key, plant, container in moved:
        values = {**plant.as_json(), "container_id": container, "source": "person"}
        session.execute(update(Detection).where(Detection.id == key).values(**values))
    added = _owned(sheet, list(changes.added.items()))
    place = {"session_id": sheet.photo.session_id, "image_id": sheet.photo.image_id}
    session.add_all(
        Detection(**place, container_id=container, source="person", **plant.as_json())
        for _, plant, container in added
    )
    _note_containers(sheet, rows)


def _owned(sheet: Sheet, plants: Sequence[tuple[Any, Plant]]) -> list[tuple[Any, Plant, int]]:
    """Each plant with its key and the id of its container."""
    ids = estimating.owners_of(_boxes(plant for _, plant in plants), sheet.standing)
    return [(key, plant, int(owner)) for (key, plant), owner in zip(plants, ids, strict=True)]


def _note_containers(sheet: Sheet, rows: Sequence[Correction]) -> None:
    """Which container each correction of a plant concerns: that in which the plant is, or was."""
    own = [
        row
        for row in rows
        if row.image_id == sheet.photo.image_id and row.action in reading.OF_PLANTS
    ]
    plants = [Plant.of(row.after or row.before or {}) for row in own]
    for row, owner in zip(own, estimating.owners_of(_boxes(plants), sheet.standing), strict=True):
        row.container_id = int(owner)


def _write_estimates(
    session: Session, containers: Mapping[int, Container], estimates: Estimates
) -> None:
    session.execute(delete(Estimation).where(Estimation.container_id.in_(estimates)))
    for key, estimate in estimates.items():
        row = containers[key]
        followed = row.is_as_counted
        for name, value in figures(estimate).items():
            setattr(row, name, value)
        if followed:
            # Somebody accepted what was computed: they accept it corrected, too.
            row.total_reviewed = row.total_detected + row.total_estimated
        is_empty = row.is_empty_container if row.total_reviewed is None else row.total == 0
        row.is_empty_container = row.is_segmented and is_empty
        row.needs_review = row.needs_review and row.reviewed_at is None
    write_estimations(session, [(containers[key], found) for key, found in estimates.items()])


def _conclude(session: Session, row: Correction, containers: Mapping[int, Container]) -> None:
    """What a person said of a container or of a whole photo."""
    if row.action == "total" and row.after and row.container_id is not None:
        _review(containers[row.container_id], row, row.after["total"])
    elif row.action == "accept" and row.container_id is not None:
        _accept(containers[row.container_id], row)
    elif row.action == "accept":
        photo = session.get_one(Photo, row.image_id)
        photo.reviewed_at, photo.reviewed_by = func.now(), row.user_id
        for one in containers.values():
            if one.image_id == row.image_id and one.total_reviewed is None:
                _accept(one, row)


def _accept(container: Container, row: Correction) -> None:
    _review(container, row, container.total_detected + container.total_estimated)


def _review(container: Container, row: Correction, total: int) -> None:
    container.total_reviewed = total
    container.is_empty_container = container.is_segmented and total == 0
    container.reviewed_by, container.reviewed_at = row.user_id, func.now()
    container.needs_review = False


def _add_up(session: Session, photos: PhotoSession, containers: Iterable[Container]) -> None:
    """The totals of each photo; those of the session are `totals.total`'s."""
    by_photo: dict[UUID, list[Container]] = {}
    for row in containers:
        by_photo.setdefault(row.image_id, []).append(row)
    for photo in counting_reading.photo_rows(session, photos.id):
        own = by_photo.get(photo.image_id, [])
        photo.total_detected = sum(row.total_detected for row in own)
        photo.total_estimated = sum(row.total_estimated for row in own)
        said = any(row.total_reviewed is not None for row in own)
        photo.total_reviewed = sum(row.total for row in own) if said else None
