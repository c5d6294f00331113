"""Corrections of a photo that is counted anew: they become drafts again, fitted to what is found.

So a person sees them before they count. A plant is the same where its box overlaps the old one: one
that was added and is found this time needs no adding, one that was taken away and is not found any
more no taking away. Totals that a person entered go with the container at their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.counting.containers import NOBODY, owners
from darkroom.counting.geometry import Bools, Floats
from darkroom.counting.models import Container, Detection, Photo
from darkroom.counting.review import drafts, reading
from darkroom.counting.review.drafts import Plant
from darkroom.counting.review.models import Correction

SAME = 0.4
"""Intersection over union from which on two boxes are one plant."""
AGAIN = "This photo was counted again after people had corrected it. Look at their corrections."


@dataclass(frozen=True)
class Kept:
    """What people made of a photo: plants they put there, places they cleared, totals they said.

    `totals` are the middle of a container and its total. `user_id` is who corrected last.
    """

    user_id: int
    wanted: list[Plant]
    unwanted: list[Plant]
    totals: list[tuple[tuple[float, float], int]]


def keep(session: Session, photo: Photo) -> Kept | None:
    """What people made of a photo so far, before it is overwritten; None: nothing."""
    rows = list(
        session.scalars(
            select(Correction)
            .where(Correction.image_id == photo.image_id, Correction.undone_at.is_(None))
            .order_by(Correction.id)
        )
    )
    if not rows:
        return None
    of_plants = [row for row in rows if row.action in reading.OF_PLANTS]
    pending = drafts.together(reading.draft_of(row) for row in of_plants if not row.applied_at)
    ever = drafts.together(reading.draft_of(row) for row in of_plants)
    touched = pending.removed | pending.moved.keys()
    there = [plant for key, plant in _by_people(session, photo).items() if key not in touched]
    return Kept(
        user_id=rows[-1].user_id,
        wanted=[*there, *pending.added.values(), *pending.moved.values()],
        unwanted=list(ever.left.values()),
        totals=_totals(session, photo, rows),
    )


def reopen(
    session: Session, photo: Photo, kept: Kept | None, containers: Sequence[Container]
) -> None:
    """Make drafts of what was kept, on the photo as it is counted now."""
    photo.reviewed_at = photo.reviewed_by = photo.total_reviewed = None
    if kept is None:
        return
    for row in _drafts(session, photo):
        row.undone_at = func.now()
    found = _found(session, photo)
    add, remove = carried(_boxes(kept.wanted), _boxes(kept.unwanted), _boxes(list(found.values())))
    made = [_row(photo, kept, "add", after=kept.wanted[place].as_json()) for place in add]
    keys = list(found)
    for place in remove:
        before = {"plant": keys[place], **found[keys[place]].as_json()}
        made.append(_row(photo, kept, "remove", before=before))
    session.add_all([*made, *_total_rows(photo, kept, containers)])
    for container in containers:
        container.needs_review = True
        container.review_reason = container.review_reason or AGAIN


def carried(wanted: Floats, unwanted: Floats, found: Floats) -> tuple[list[int], list[int]]:
    """Which of the wanted boxes are to be added, and which of the found ones taken away.

    All are rows x1, y1, x2, y2. A box that is wanted is never taken away.
    """
    same = _same(wanted, found)
    clear = _same(unwanted, found).any(axis=0) & ~same.any(axis=0)
    add = np.flatnonzero(~same.any(axis=1))
    return [int(place) for place in add], [int(place) for place in np.flatnonzero(clear)]


def _same(boxes: Floats, others: Floats) -> Bools:
    """Which boxes (N, 4) are the same plants as which others (M, 4), as (N, M)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = (high - low).clip(0).prod(axis=2)
    mine, theirs = ((some[:, 2:] - some[:, :2]).prod(axis=1) for some in (boxes, others))
    return np.asarray(common / (mine[:, None] + theirs[None, :] - common) >= SAME)


def _boxes(plants: list[Plant]) -> Floats:
    return np.array([plant.box for plant in plants], float).reshape(-1, 4)


def _by_people(session: Session, photo: Photo) -> dict[int, Plant]:
    return _plants(session, photo, Detection.source == "person")


def _found(session: Session, photo: Photo) -> dict[int, Plant]:
    return _plants(session, photo)


def _plants(session: Session, photo: Photo, *conditions: Any) -> dict[int, Plant]:
    names = tuple(Plant.__dataclass_fields__)
    columns = [getattr(Detection, name) for name in names]
    query = select(Detection.id, *columns).where(Detection.image_id == photo.image_id, *conditions)
    return {key: Plant(*values) for key, *values in session.execute(query.order_by(Detection.id))}


def _drafts(session: Session, photo: Photo) -> list[Correction]:
    query = select(Correction).where(
        Correction.image_id == photo.image_id,
        Correction.applied_at.is_(None),
        Correction.undone_at.is_(None),
    )
    return list(session.scalars(query))


def _totals(
    session: Session, photo: Photo, rows: Sequence[Correction]
) -> list[tuple[tuple[float, float], int]]:
    containers = session.scalars(select(Container).where(Container.image_id == photo.image_id))
    said = {
        row.container_id: row.after["total"] for row in rows if row.action == "total" and row.after
    }
    return [(_middle(row), said[row.id]) for row in containers if row.id in said]


def _total_rows(photo: Photo, kept: Kept, containers: Sequence[Container]) -> list[Correction]:
    if not kept.totals:
        return []
    points = np.array([middle for middle, _ in kept.totals])
    places = owners(points, [outline(row) for row in containers])
    return [
        _row(photo, kept, "total", after={"total": total}, container_id=containers[place].id)
        for place, (_, total) in zip(places, kept.totals, strict=True)
        if place != NOBODY
    ]


def outline(row: Container) -> Floats:
    """A container's outline (P, 2), its last point not the first again."""
    return np.array(row.polygon["coordinates"][0][:-1], float)


def _middle(row: Container) -> tuple[float, float]:
    x, y = outline(row).mean(axis=0)
    return float(x), float(y)


def _row(photo: Photo, kept: Kept, action: str, **values: Any) -> Correction:
    return Correction(
        key=uuid4(),
        session_id=photo.session_id,
        image_id=photo.image_id,
        action=action,
        user_id=kept.user_id,
        **values,
    )
