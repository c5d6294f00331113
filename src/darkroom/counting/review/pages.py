"""The pages of review: the list of counts to look at, and a photo to correct."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.models import Container, Photo, PhotoSession
from darkroom.counting.review import asking, listing, reading, service
from darkroom.counting.review.listing import Cursor, Filters
from darkroom.counting.review.models import Correction
from darkroom.errors import Invalid, NotFound
from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.web.audience import wants_json
from darkroom.web.auth import check_owner, current_user, login_required, scope
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.run_views import run_note
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end
from darkroom.web.words import N_, say

pages = Blueprint("review", __name__, url_prefix="/count")

LINK_LIFETIME = timedelta(hours=6)
NO_RESULT = N_("There is no such count.")
PAGE = 25
TOTAL, SHOWN_TOTAL = "total-", "shown-total-"
ACCEPT_PHOTO, ACCEPT_ALL = "accept", "accept_all"
LABELS = {
    listing.NEEDS: N_("To be looked at"),
    listing.DRAFTS: N_("With corrections not saved"),
    listing.REVIEWED: N_("Reviewed"),
    listing.ALL: N_("All counts"),
}


@dataclass(frozen=True)
class PhotoTab:
    """A photo of the session to go to: its row, picture, and how many drafts it has."""

    row: Photo
    thumbnail_url: str | None
    drafts: int


@pages.get("/review")
@login_required
def index() -> ResponseReturnValue:
    """The counts to look at; the filters are in the address."""
    filters = _filters()
    with services().database.session() as db:
        found = listing.page(db, filters, _cursor(), PAGE + 1)
        locations = listing.locations(db)
    shown = found[:PAGE]
    url = services().store.url
    return render_template(
        "counting/reviews.html",
        rows=[(row, row.thumbnail_key and url(row.thumbnail_key, LINK_LIFETIME)) for row in shown],
        filters=filters,
        asked={name: value for name, value in request.args.items() if name != "after" and value},
        labels=LABELS,
        locations=locations,
        older=_written(Cursor.of(shown[-1].photos)) if len(found) > PAGE else None,
        first_page="after" not in request.args,
    )


@pages.get("/<uuid:session_id>/review")
@login_required
def show(session_id: UUID) -> ResponseReturnValue:
    """A photo of a count (`?photo=2`) to correct, and how the last corrections fared."""
    with services().database.session() as db:
        photos = _session(db, session_id)
        rows = _photos(db, photos)
        tabs = _tabs(db, photos, rows)
        photo = rows[_chosen(len(rows))]
        run = reading.review_run(db, photos)
        steps = runs.steps_of(db, run.id) if run else []
        return render_template(
            "counting/review.html",
            session=photos,
            title=db.get_one(Run, photos.run_id).title,
            tabs=tabs,
            photo=photo,
            photo_url=services().store.url(photo.s3_key_original, LINK_LIFETIME),
            containers=_containers(db, photo),
            totals=service.totals(db, photos, photo),
            drafts=sum(tab.drafts for tab in tabs),
            is_counted=photos.counted_at is not None and db.get_one(Run, photos.run_id).is_over,
            run=run,
            steps=steps,
            note=run_note(run, steps) if run else "",
        )


@pages.get("/<uuid:session_id>/photos/<uuid:image_id>/review.json")
@login_required
def state(session_id: UUID, image_id: UUID) -> ResponseReturnValue:
    """A photo's containers, plants and drafts."""
    with services().database.session() as db:
        photos = _session(db, session_id)
        response = jsonify(reading.state_of(db, photos, _photo(db, photos, image_id)))
    response.add_etag()
    return response.make_conditional(request)


@pages.post("/<uuid:session_id>/photos/<uuid:image_id>/corrections.json")
@login_required
def correct(session_id: UUID, image_id: UUID) -> ResponseReturnValue:
    """Keep a correction as a draft; sent twice under one key it is one."""
    asked = asking.asked(request.get_json(silent=True))
    with services().database.session() as db:
        photos = _session(db, session_id)
        photo = _photo(db, photos, image_id)
        row = service.draft(db, photos, photo, current_user().id, asked)
        return jsonify(reading.as_json(row)), 201


@pages.post("/<uuid:session_id>/photos/<uuid:image_id>/undo.json")
@login_required
def undo(session_id: UUID, image_id: UUID) -> ResponseReturnValue:
    """Take the newest draft back; the body names its `key`."""
    return _turned(session_id, image_id, service.undo)


@pages.post("/<uuid:session_id>/photos/<uuid:image_id>/redo.json")
@login_required
def redo(session_id: UUID, image_id: UUID) -> ResponseReturnValue:
    """Make the draft again that was taken back last; the body names its `key`."""
    return _turned(session_id, image_id, service.redo)


def _on_to(run_id: UUID) -> ResponseReturnValue:
    """Back to the photo, where one sees the corrections being applied."""
    with services().database.session() as db:
        session_id = db.get_one(Run, run_id).params["session_id"]
    wait_for_end(run_id)
    photo = request.form.get("photo", "1")
    return redirect(url_for("review.show", session_id=session_id, photo=photo), 303)


@pages.post("/<uuid:session_id>/review")
@login_required
@idempotent(_on_to)
def save(session_id: UUID, keep: Keep) -> UUID | ResponseReturnValue:
    """Apply the drafts, and the totals of the form; accept the photo, or all, where asked to."""
    try:
        with services().database.session() as db:
            run = _saved(db, session_id)
            keep(db, run.id)
            return run.id
    except Invalid as error:
        if wants_json() or isinstance(error, NotFound):
            raise
        flash(say(error.message))
        photo = request.form.get("photo", "1")
        return redirect(url_for("review.show", session_id=session_id, photo=photo), 303)


def _saved(db: Session, session_id: UUID) -> Run:
    photos = _session(db, session_id)
    rows = _photos(db, photos)
    photo = rows[_position(request.form.get("photo", "1"), len(rows))]
    user_id = current_user().id
    service.set_totals(db, photos, photo, user_id, _form_totals())
    for accepted in _accepted(rows, photo):
        service.accept(db, photos, accepted, user_id)
    return service.save(db, photos)


def _accepted(rows: list[Photo], photo: Photo) -> list[Photo]:
    chosen = {ACCEPT_PHOTO: [photo], ACCEPT_ALL: rows}
    return chosen.get(request.form.get("do", ""), [])


def _form_totals() -> dict[int, int]:
    """The totals that were changed on the page: others may be newer by now than it shows."""
    totals = {}
    for name, text in request.form.items():
        container, given = name.removeprefix(TOTAL), text.strip()
        shown = request.form.get(f"{SHOWN_TOTAL}{container}")
        if name.startswith(TOTAL) and container.isdecimal() and given not in ("", shown):
            totals[int(container)] = _whole(given)
    return totals


def _whole(text: str) -> int:
    if not (text.isdecimal() and len(text) < 10):
        raise Invalid(N_("Enter the total as a whole number, 0 or more."), "total")
    return int(text)


def _turned(session_id: UUID, image_id: UUID, turn: Any) -> ResponseReturnValue:
    key = asking.key_of(request.get_json(silent=True))
    with services().database.session() as db:
        photos = _session(db, session_id)
        turn(db, photos, _photo(db, photos, image_id), key)
    return jsonify(key=str(key))


def _session(db: Session, session_id: UUID) -> PhotoSession:
    found = db.scalar(select(PhotoSession).where(PhotoSession.session_id == session_id))
    if found is None:
        raise NotFound(NO_RESULT)
    check_owner(found.user_id, NO_RESULT)
    return found


def _photo(db: Session, photos: PhotoSession, image_id: UUID) -> Photo:
    found = db.get(Photo, image_id)
    if found is None or found.session_id != photos.id:
        raise NotFound(NO_RESULT)
    return found


def _photos(db: Session, photos: PhotoSession) -> list[Photo]:
    query = select(Photo).where(Photo.session_id == photos.id).order_by(Photo.position)
    return list(db.scalars(query))


def _containers(db: Session, photo: Photo) -> list[Container]:
    query = select(Container).where(Container.image_id == photo.image_id)
    return list(db.scalars(query.order_by(Container.number)))


def _tabs(db: Session, photos: PhotoSession, rows: list[Photo]) -> list[PhotoTab]:
    drafts: list[Correction] = reading.open_corrections(db, photos)
    url = services().store.url
    return [
        PhotoTab(
            row,
            url(row.s3_key_thumbnail, LINK_LIFETIME) if row.s3_key_thumbnail else None,
            sum(draft.image_id == row.image_id for draft in drafts),
        )
        for row in rows
    ]


def _chosen(photos: int) -> int:
    return _position(request.args.get("photo", "1"), photos)


def _position(given: str, photos: int) -> int:
    number = int(given) if given.isdecimal() and len(given) < 6 else 1
    return min(max(number, 1), photos) - 1


def _filters() -> Filters:
    show = request.args.get("show") or listing.NEEDS
    if show not in listing.SHOWN:
        raise Invalid(f"show must be one of {', '.join(listing.SHOWN)}.", "show")
    location = request.args.get("location", "")
    known = location.isdecimal() and len(location) < 10
    text = request.args.get("text", "").replace("\0", "")[:200]
    return Filters(show, scope(), int(location) if known else None, text)


def _cursor() -> Cursor | None:
    given = request.args.get("after")
    if not given:
        return None
    try:
        needs, moment, key = given.split("_")
        created_at, number = datetime.fromisoformat(moment), int(key)
    except ValueError:
        raise Invalid(
            N_("This page's address is damaged. Begin at the first page."), "after"
        ) from None
    if created_at.tzinfo is None or abs(number) >= 2**31:
        raise Invalid(N_("This page's address is damaged. Begin at the first page."), "after")
    return Cursor(needs == "1", created_at, number)


def _written(cursor: Cursor) -> str:
    return f"{int(cursor.needs_review)}_{cursor.created_at.isoformat()}_{cursor.id}"
