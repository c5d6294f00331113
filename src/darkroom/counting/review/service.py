"""Correcting a count: drafts, undo and redo, and the run that applies them.

A correction is a row at once, so that nothing is lost with a page; what is sent twice (the same
`key`) is one. While corrections are applied no more are taken: whoever draws up drafts sees the
count that they will be applied to. All of it happens under the lock of the session's row.
"""

from dataclasses import dataclass
from math import isfinite
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.counting.models import Container, Detection, Photo, PhotoSession
from darkroom.counting.review import drafts, reading
from darkroom.counting.review.drafts import Draft, Plant, PlantKey
from darkroom.counting.review.models import Correction
from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run

RECOUNT = "counting.recount"
RECOUNTING = 0.7
"""Its share of the run; drawing makes the rest."""
ACTIONS = ("add", "remove", "move", "total", "accept")
PLANT = "plant"
SMALLEST = 1.0
MOST_PLANTS = 1_000_000


@dataclass(frozen=True)
class Asked:
    """A correction as it is sent.

    `plant` is needed to remove and move, `x`, `y`, `width` and `height` to add and move,
    `container` and `total` to set a total; to accept without a `container` means the whole photo.
    """

    key: UUID
    action: str
    plant: PlantKey | None = None
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    class_name: str | None = None
    container: int | None = None
    total: int | None = None


def draft(
    session: Session, photos: PhotoSession, photo: Photo, user_id: int, asked: Asked
) -> Correction:
    """Keep a correction of a photo as a draft.

    Raises
    ------
    Invalid
        Naming the field at fault.
    Conflict
        While the count goes on, or corrections are applied; or the plant is gone already.
    """
    hold(session, photos)
    known = _known(session, photo, asked.key)
    if known is not None:
        return known
    before, after = _change(session, photos, photo, asked)
    row = Correction(
        key=asked.key,
        session_id=photos.id,
        image_id=photo.image_id,
        container_id=_container_of(session, photo, asked),
        action=asked.action,
        before=before,
        after=after,
        user_id=user_id,
    )
    session.add(row)
    session.flush()
    return row


def undo(session: Session, photos: PhotoSession, photo: Photo, key: UUID) -> None:
    """Take back the newest draft of a photo. Taken back already, it stays so."""
    hold(session, photos)
    row = _own(session, photo, key)
    if row.undone_at is not None:
        return
    if row not in reading.open_corrections(session, photos, photo.image_id)[-1:]:
        raise Conflict("Only the newest correction that is not saved can be undone.", "key")
    row.undone_at = func.now()


def redo(session: Session, photos: PhotoSession, photo: Photo, key: UUID) -> None:
    """Make the draft again that was undone last."""
    hold(session, photos)
    row = _own(session, photo, key)
    if row.undone_at is None:
        return
    if row not in reading.undone_corrections(session, photo)[:1]:
        raise Conflict("Only the correction that was undone last can be made again.", "key")
    row.undone_at = None


def accept(session: Session, photos: PhotoSession, photo: Photo, user_id: int) -> Correction:
    """Keep as a draft that a photo's count is right, or will be with the drafts before."""
    return draft(session, photos, photo, user_id, Asked(uuid4(), "accept"))


def set_totals(
    session: Session, photos: PhotoSession, photo: Photo, user_id: int, said: dict[int, int]
) -> None:
    """Keep totals (by container) as drafts, those that say anything new."""
    shown = totals(session, photos, photo)
    for container, total in said.items():
        if shown.get(container) != total:
            asked = Asked(uuid4(), "total", container=container, total=total)
            draft(session, photos, photo, user_id, asked)


def save(session: Session, photos: PhotoSession) -> Run:
    """Start the run that applies a session's drafts.

    Raises
    ------
    Invalid
        When there are none.
    """
    hold(session, photos)
    if not reading.open_corrections(session, photos):
        raise Invalid("There is nothing to save: no correction was made.", code="nothing_to_save")
    counting = session.get_one(Run, photos.run_id)
    name = {"session_id": str(photos.session_id)}
    run = runs.create(
        session,
        pipeline="counting",
        title=f"Corrections of {counting.title}",
        owner_id=photos.user_id,
        params=name,
    )
    runs.begin(session, run, Call(RECOUNT, "cpu", name, share=RECOUNTING))
    photos.review_run_id = run.id
    session.flush()
    return run


def hold(session: Session, photos: PhotoSession) -> None:
    """Lock the session's row; `Conflict` while its count goes on or corrections are applied."""
    session.refresh(photos, with_for_update=True)
    if photos.counted_at is None or not session.get_one(Run, photos.run_id).is_over:
        raise Conflict("The count is still going on. Wait for its end.")
    run = reading.review_run(session, photos)
    if run is not None and not run.is_over:
        raise Conflict("Corrections of this count are being applied. Wait for their end.")


def _known(session: Session, photo: Photo, key: UUID) -> Correction | None:
    found = session.scalar(select(Correction).where(Correction.key == key))
    if found is not None and found.image_id != photo.image_id:
        raise Conflict("This key is another correction's.", "key")
    return found


def _own(session: Session, photo: Photo, key: UUID) -> Correction:
    found = _known(session, photo, key)
    if found is None:
        raise NotFound("There is no such correction.", "key")
    return found


def _change(
    session: Session, photos: PhotoSession, photo: Photo, asked: Asked
) -> tuple[drafts.Json | None, drafts.Json | None]:
    """What a correction keeps of how it was, and of how it is now."""
    if asked.action == "add":
        name = _class_name(session, photos, photo, asked.class_name)
        return None, _placed(session, photo, asked, name).as_json()
    if asked.action in ("remove", "move"):
        key, plant = _plant(session, photos, photo, asked)
        before = {"plant": key, **plant.as_json()}
        if asked.action == "remove":
            return before, None
        return before, _placed(session, photo, asked, plant.class_name).as_json()
    if asked.action == "total":
        return None, {"total": _total(asked.total)}
    if asked.action == "accept":
        return None, None
    raise Invalid(
        f"There is no action {asked.action!r}. There are: {', '.join(ACTIONS)}.", "action"
    )


def _total(given: int | None) -> int:
    if given is None or not 0 <= given <= MOST_PLANTS:
        raise Invalid("Enter the total as a whole number, 0 or more.", "total")
    return given


def _container_of(session: Session, photo: Photo, asked: Asked) -> int | None:
    if asked.action not in ("total", "accept"):
        return None
    if asked.container is None and asked.action == "accept":
        return None
    found = session.get(Container, asked.container) if asked.container is not None else None
    if found is None or found.image_id != photo.image_id:
        raise Invalid("This photo has no such container.", "container", status=404)
    return found.id


def _placed(session: Session, photo: Photo, asked: Asked, class_name: str) -> Plant:
    """The plant where a person put it. Outside of all containers it counts with the nearest."""
    x, y = _within(asked.x, "x", 0, photo.width), _within(asked.y, "y", 0, photo.height)
    plant = Plant(
        center_x=x,
        center_y=y,
        width_px=_within(asked.width, "width", SMALLEST, photo.width),
        height_px=_within(asked.height, "height", SMALLEST, photo.height),
        confidence=1.0,
        class_name=class_name,
    )
    if session.scalar(select(func.count()).where(Container.image_id == photo.image_id)) == 0:
        raise Invalid("Nothing was counted on this photo: there is no container to add to.", "x")
    return plant


def _within(given: float | None, name: str, low: float, high: float) -> float:
    if given is None or not isfinite(given) or not low <= given <= high:
        raise Invalid(f"{name} must be a number of pixels from {low:g} to {high:g}.", name)
    return given


def _plant(
    session: Session, photos: PhotoSession, photo: Photo, asked: Asked
) -> tuple[PlantKey, Plant]:
    """The plant that is meant, as the drafts so far have left it."""
    key = asked.plant
    if key is None:
        raise Invalid("Say which plant is meant.", "plant")
    changes = drafts.together(_drafts(session, photos, photo))
    found = changes.place_of(key)
    if found is None and isinstance(key, int) and not changes.is_gone(key):
        found = _detected(session, photo, key)
    if found is None:
        raise Conflict("This plant is not there any more.", "plant")
    return key, found


def _drafts(session: Session, photos: PhotoSession, photo: Photo) -> list[Draft]:
    rows = reading.open_corrections(session, photos, photo.image_id)
    return [reading.draft_of(row) for row in rows if row.action in reading.OF_PLANTS]


def _detected(session: Session, photo: Photo, key: int) -> Plant | None:
    row = session.get(Detection, key) if key < 2**63 else None
    if row is None or row.image_id != photo.image_id:
        return None
    return Plant.of({name: getattr(row, name) for name in Plant.__dataclass_fields__})


def _class_name(session: Session, photos: PhotoSession, photo: Photo, given: str | None) -> str:
    """The class given, else the commonest of the photo."""
    if given is not None:
        if given not in {PLANT, *photos.category_counts}:
            raise Invalid(f"The model knows no class {given!r}.", "class_name")
        return given
    commonest = (
        select(Detection.class_name)
        .where(Detection.image_id == photo.image_id)
        .group_by(Detection.class_name)
        .order_by(func.count().desc(), Detection.class_name)
        .limit(1)
    )
    return session.scalar(commonest) or next(iter(photos.category_counts), PLANT)


def totals(session: Session, photos: PhotoSession, photo: Photo) -> dict[int, int]:
    """What the page shows as each container's total: drafts first."""
    rows = session.scalars(select(Container).where(Container.image_id == photo.image_id))
    shown = {row.id: row.total for row in rows}
    for row in reading.open_corrections(session, photos, photo.image_id):
        if row.action == "total" and row.container_id is not None and row.after:
            shown[row.container_id] = row.after["total"]
    return shown
