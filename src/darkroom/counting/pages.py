"""The pages of counting: send photos, follow them, read and download the result."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from darkroom.counting import overlaps, overlays, results
from darkroom.counting.models import Container, Detection, Photo, PhotoSession
from darkroom.counting.places import choosing, locations, mapping
from darkroom.counting.places.choosing import Question
from darkroom.counting.rerun import knobs
from darkroom.counting.rerun.pages import siblings
from darkroom.counting.stock import outcome
from darkroom.errors import Invalid, NotFound
from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.queue.runs import StepView
from darkroom.web import spreadsheet
from darkroom.web.audience import wants_json
from darkroom.web.auth import check_owner, current_user, login_required
from darkroom.web.formats import number
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.run_views import Card, elapsed, run_note
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end
from darkroom.web.words import N_

pages = Blueprint("counting", __name__, url_prefix="/count", template_folder="templates")

LINK_LIFETIME = timedelta(hours=6)
SAMPLE = Path(__file__).parents[1] / "web" / "static" / "sample.jpg"
NO_RESULT = N_("There is no such count.")
MEGABYTE = 1024 * 1024
PIPELINE = "counting"


@dataclass(frozen=True)
class Totals:
    """What is shown of a sum of containers: whole plants, the unbiased figure and the buffered."""

    detected: int
    estimated: int
    unbiased: float
    buffered: float

    @classmethod
    def of(cls, containers: Iterable[Container]) -> "Totals":
        """The sum over containers."""
        rows = list(containers)
        return cls(
            detected=sum(row.total_detected for row in rows),
            estimated=sum(row.total_estimated for row in rows),
            unbiased=sum(row.total_unbiased for row in rows),
            buffered=sum(row.total_buffered for row in rows),
        )


@pages.get("")
@login_required
def upload() -> ResponseReturnValue:
    """The drop zone."""
    return _upload_page()


def _on_to(run_id: UUID) -> ResponseReturnValue:
    """To the result of a run just begun."""
    with services().database.session() as db:
        session_id = db.get_one(Run, run_id).params["session_id"]
    target = url_for("counting.show", session_id=session_id)
    is_over = wait_for_end(run_id)
    if wants_json():
        return jsonify(location=target, run=str(run_id)), 200 if is_over else 202
    return redirect(target, 303)


@pages.post("")
@login_required
@idempotent(_on_to)
def submit(keep: Keep) -> UUID | ResponseReturnValue:
    """Take the photos in and go on to their result, which fills while it is looked at."""
    photos = [part for part in request.files.getlist("file") if part.filename]
    try:
        location = request.form.get(locations.FIELD)
        sent = services().counting.receive(photos, current_user().id, keep=keep, location=location)
    except Invalid as error:
        if wants_json():
            raise
        return _upload_page(error)
    return sent.run_id


@pages.post("/sample")
@login_required
@idempotent(_on_to)
def try_sample(keep: Keep) -> UUID:
    """Count the sample photo that comes with Darkroom."""
    with SAMPLE.open("rb") as file:
        photo = FileStorage(file, filename="sample.jpg", content_type="image/jpeg")
        return services().counting.receive([photo], current_user().id, keep=keep).run_id


@pages.get("/<uuid:session_id>")
@login_required
def show(session_id: UUID) -> ResponseReturnValue:
    """The result, photo by photo (`?photo=2`); it fills while the run goes on."""
    with services().database.session() as db:
        session = _visible(db, session_id)
        run = db.get_one(Run, session.run_id)
        steps = runs.steps_of(db, run.id)
        photos = _photo_views(run, _photos(db, session), steps)
        photo = photos[_chosen(len(photos))]
        containers = _containers(db, session)
        totals = Totals.of(containers)
        chosen = knobs.applied(services().settings.counting, session.settings)
        return render_template(
            "counting/session.html",
            session=session,
            run=run,
            steps=steps,
            photos=photos,
            photo=photo,
            containers=[row for row in containers if row.image_id == photo.row.image_id],
            classes=_classes(db, photo.row),
            totals=totals,
            scale=Scale.of(session, totals),
            outcome=outcome.of_count(db, session),
            where=_where(db, session),
            question=_question(db, session),
            note=run_note(run, steps),
            elapsed=elapsed(run),
            doubles=overlaps.twice(overlaps.of_session(db, session.id)),
            compared=overlaps.compared(db, session.id),
            siblings=siblings(db, session),
            alpha=chosen.alpha,
            figure=chosen.stock_figure,
        )


@pages.post("/<uuid:session_id>/location")
@login_required
def choose_location(session_id: UUID) -> ResponseReturnValue:
    """Settle the location of a count that waits for it, or have it counted without one."""
    given = request.form.get(locations.FIELD, "")
    without = "without_location" in request.form
    if not without and not given:
        raise Invalid("Choose a location, or count without one.", locations.FIELD)
    with services().database.session() as db:
        session = _visible(db, session_id)
        if without:
            choosing.leave_out(db, session)
        else:
            choosing.choose(db, session, given)
    return redirect(url_for("counting.show", session_id=session_id), 303)


@pages.get("/<uuid:session_id>/photos/<uuid:image_id>/overlays.json")
@login_required
def show_overlays(session_id: UUID, image_id: UUID) -> ResponseReturnValue:
    """Containers, detections and estimates of a photo, for the viewer to draw."""
    with services().database.session() as db:
        session = _visible(db, session_id)
        photo = db.get(Photo, image_id)
        if photo is None or photo.session_id != session.id:
            raise NotFound(NO_RESULT)
        response = jsonify(overlays.of_photo(db, photo))
    response.add_etag()
    return response.make_conditional(request)


@pages.get("/<uuid:session_id>.json")
@login_required
def download_json(session_id: UUID) -> ResponseReturnValue:
    """The whole result as JSON."""
    with services().database.session() as db:
        _visible(db, session_id)
        result = results.of_session(db, session_id, services().store)
    response = jsonify(results.as_json(result))
    return _saved_as(response, f"count-{session_id}.json")


@pages.get("/<uuid:session_id>.csv")
@login_required
def download_csv(session_id: UUID) -> ResponseReturnValue:
    """A line a container, for spreadsheets."""
    with services().database.session() as db:
        session = _visible(db, session_id)
        text = "".join(_csv(_photos(db, session), _containers(db, session)))
    return _saved_as(Response(text, mimetype="text/csv"), f"count-{session_id}.csv")


# What other pages show of counting


def cards(db: Session, found: Sequence[Run]) -> list[Card]:
    """Runs with their result's address, first photo and totals."""
    # By the session's name: runs that apply corrections are of a session, too.
    names = {run.id: run.params.get("session_id") for run in found if run.pipeline == PIPELINE}
    wanted = [UUID(name) for name in names.values() if name]
    query = select(PhotoSession).where(PhotoSession.session_id.in_(wanted))
    sessions = {str(session.session_id): session for session in db.scalars(query)}
    pictures = _first_thumbnails(db, [session.id for session in sessions.values()])
    return [_card(run, sessions.get(names.get(run.id) or ""), pictures) for run in found]


def runs_to_review(db: Session, owner_id: int | None, limit: int) -> list[Run]:
    """Counts that a person should look at, newest first."""
    query = (
        select(Run)
        .join(PhotoSession, PhotoSession.run_id == Run.id)
        .where(PhotoSession.needs_review, Run.status == "completed")
        # Counts made again are trials: they go to no stock.
        .where(PhotoSession.rerun_of_id.is_(None))
        .order_by(Run.created_at.desc())
        .limit(limit)
    )
    if owner_id is not None:
        query = query.where(Run.owner_id == owner_id)
    return list(db.scalars(query))


def runs_to_locate(db: Session, owner_id: int | None, limit: int) -> list[Run]:
    """Counts that wait for somebody to choose their location, newest first."""
    query = (
        select(Run)
        .join(PhotoSession, PhotoSession.run_id == Run.id)
        .where(PhotoSession.status == choosing.WAITING)
        .order_by(PhotoSession.created_at.desc())
        .limit(limit)
    )
    if owner_id is not None:
        query = query.where(Run.owner_id == owner_id)
    return list(db.scalars(query))


def _card(run: Run, session: PhotoSession | None, pictures: dict[int, str]) -> Card:
    if session is None:
        return Card(run)
    plants = session.total
    text = ngettext("%(plants)s plant", "%(plants)s plants", plants, plants=number(plants))
    return Card(
        run,
        url=url_for("counting.show", session_id=session.session_id),
        thumbnail_url=pictures.get(session.id),
        summary=text if session.counted_at else _waits(session),
        needs_review=session.needs_review and run.status == "completed",
        needs_location=session.status == choosing.WAITING,
    )


def _waits(session: PhotoSession) -> str:
    waits = session.status == choosing.WAITING
    return str(gettext("waits for a location to be chosen")) if waits else ""


def _first_thumbnails(db: Session, session_ids: Sequence[int]) -> dict[int, str]:
    query = select(Photo.session_id, Photo.s3_key_thumbnail).where(
        Photo.session_id.in_(session_ids),
        Photo.position == 1,
        Photo.s3_key_thumbnail.is_not(None),
    )
    store = services().store
    return {
        session_id: store.url(key, LINK_LIFETIME) for session_id, key in db.execute(query) if key
    }


# What the result page shows


@dataclass(frozen=True)
class PhotoView:
    """A photo with its addresses, its state in the run, and the step that counts it."""

    row: Photo
    state: str
    step: StepView | None
    url: str
    thumbnail_url: str | None
    download_url: str | None


@dataclass(frozen=True)
class Scale:
    """The 80 % interval and the two figures on a line from `start` to `end` (0 to 100)."""

    start: float
    end: float
    low: float
    high: float
    unbiased: float
    buffered: float

    @classmethod
    def of(cls, session: PhotoSession, totals: Totals) -> "Scale | None":
        low, high = session.interval_low, session.interval_high
        if low is None or high is None or session.total_unbiased is None:
            return None
        start, end = min(low, totals.unbiased), max(high, totals.buffered)
        margin = max((end - start) * 0.12, 1)
        return cls(start - margin, end + margin, low, high, totals.unbiased, totals.buffered)

    def place(self, value: float) -> float:
        """Where a number lies on the line."""
        return round(100 * (value - self.start) / (self.end - self.start), 2)


def _photo_views(run: Run, photos: Sequence[Photo], steps: Sequence[StepView]) -> list[PhotoView]:
    # One step a photo, enqueued in the order of the photos.
    counting = [step for step in steps if step.name == "counting.detect"]
    pairs = zip_longest(photos, counting[: len(photos)])
    return [_photo_view(run, photo, step) for photo, step in pairs]


def _photo_view(run: Run, photo: Photo, step: StepView | None) -> PhotoView:
    url = services().store.url
    drawn, thumbnail = photo.s3_key_processed, photo.s3_key_thumbnail
    name = f"{Path(photo.filename).stem or 'photo'}-counted.avif"
    return PhotoView(
        row=photo,
        state=_photo_state(run, photo, step),
        step=step if step and step.state == "running" else None,
        url=url(photo.s3_key_original, LINK_LIFETIME),
        thumbnail_url=url(thumbnail, LINK_LIFETIME) if thumbnail else None,
        download_url=url(drawn, LINK_LIFETIME, name) if drawn else None,
    )


def _photo_state(run: Run, photo: Photo, step: StepView | None) -> str:
    if photo.status != "uploaded":
        return photo.status
    if step is None or step.state == "succeeded":
        return "cancelled" if run.is_over else "waiting"
    return step.state


def _visible(db: Session, session_id: UUID) -> PhotoSession:
    found = db.scalar(select(PhotoSession).where(PhotoSession.session_id == session_id))
    if found is None:
        raise NotFound(NO_RESULT)
    check_owner(found.user_id, NO_RESULT)
    return found


def _photos(db: Session, session: PhotoSession) -> list[Photo]:
    query = select(Photo).where(Photo.session_id == session.id).order_by(Photo.position)
    return list(db.scalars(query))


def _containers(db: Session, session: PhotoSession) -> list[Container]:
    query = (
        select(Container)
        .where(Container.session_id == session.id)
        .order_by(Container.image_id, Container.number)
    )
    return list(db.scalars(query))


def _classes(db: Session, photo: Photo) -> list[tuple[str, int, float]]:
    """Class, detections and mean confidence on one photo, most first."""
    query = (
        select(Detection.class_name, func.count(), func.avg(Detection.confidence))
        .where(Detection.image_id == photo.image_id)
        .group_by(Detection.class_name)
        .order_by(func.count().desc(), Detection.class_name)
    )
    return [(name, count, float(mean)) for name, count, mean in db.execute(query)]


def _chosen(photos: int) -> int:
    given = request.args.get("photo", "1")
    number_given = int(given) if given.isdecimal() and len(given) < 6 else 1
    return min(max(number_given, 1), photos) - 1


def _where(db: Session, session: PhotoSession) -> dict[str, Any]:
    return mapping.of_session(db, session) | {"defined": locations.any_in_use(db)}


def _question(db: Session, session: PhotoSession) -> Question | None:
    if session.status != choosing.WAITING:
        return None
    return choosing.question(db, session, services().settings.counting.nearest_metres)


def _upload_page(error: Invalid | None = None) -> ResponseReturnValue:
    settings = services().settings
    with services().database.session() as db:
        choices = locations.options(db)
    page = render_template(
        "counting/upload.html",
        error=error,
        locations=choices,
        location=request.values.get(locations.FIELD) or request.args.get("location"),
        max_bytes=settings.max_upload_bytes,
        max_megabytes=settings.max_upload_bytes // MEGABYTE,
        max_photos=settings.max_photos,
    )
    return page, error.status if error else 200


def _saved_as(response: Response, filename: str) -> Response:
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response


COLUMNS = (
    "photo",
    "container",
    "type",
    "detected",
    "estimated",
    "total",
    "unbiased",
    "with_overcount_buffer",
    "interval_80_low",
    "interval_80_high",
    "confidence",
    "empty",
    "needs_review",
)


def _csv(photos: Sequence[Photo], containers: Sequence[Container]) -> Iterator[str]:
    names = {photo.image_id: photo.filename for photo in photos}
    order = {photo.image_id: photo.position for photo in photos}
    yield spreadsheet.line(COLUMNS)
    for row in sorted(containers, key=lambda row: (order[row.image_id], row.number)):
        yield spreadsheet.line(
            (
                names[row.image_id],
                row.number,
                row.container_type,
                row.total_detected,
                row.total_estimated,
                row.total,
                round(row.total_unbiased, 2),
                round(row.total_buffered, 2),
                round(row.interval_low, 2),
                round(row.interval_high, 2),
                round(row.count_confidence, 4),
                row.is_empty_container,
                row.needs_review,
            )
        )
