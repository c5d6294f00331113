"""The pages of counting again: the form with what can be set, and two counts beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.models import Photo, PhotoSession
from darkroom.counting.rerun import asking, service
from darkroom.counting.rerun.asking import Question
from darkroom.counting.rerun.beside import Sheet, beside
from darkroom.errors import NotFound
from darkroom.queue.models import Run
from darkroom.web.audience import wants_json
from darkroom.web.auth import check_owner, login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end
from darkroom.web.words import N_

pages = Blueprint("rerun", __name__, url_prefix="/count")

LINK_LIFETIME = timedelta(hours=6)
NO_RESULT = N_("There is no such count.")


@dataclass(frozen=True)
class Sibling:
    """Another count of the same photos, or this one, and its run."""

    session: PhotoSession
    run: Run
    is_here: bool


@dataclass(frozen=True)
class Addresses:
    """Where the files of a photo in two counts are; a drawing may not be there yet."""

    photo: str
    drawings: tuple[str | None, str | None]


def _on_to(run_id: UUID) -> ResponseReturnValue:
    """To the result of a count just begun."""
    with services().database.session() as db:
        session_id = db.get_one(Run, run_id).params["session_id"]
    target = url_for("counting.show", session_id=session_id)
    is_over = wait_for_end(run_id)
    if wants_json():
        return jsonify(location=target, run=str(run_id)), 200 if is_over else 202
    return redirect(target, 303)


@pages.get("/<uuid:session_id>/again")
@login_required
def ask(session_id: UUID) -> ResponseReturnValue:
    """What can be set otherwise, as it stands for this count."""
    with services().database.session() as db:
        session = _visible(db, session_id)
        return _form(db, session, asking.ask(db, session, services().settings), {})


@pages.post("/<uuid:session_id>/again")
@login_required
@idempotent(_on_to)
def count_again(session_id: UUID, keep: Keep) -> UUID | ResponseReturnValue:
    """Count the same photos with what the form says."""
    given = {name: value for name, value in request.form.items() if name != "csrf_token"}
    with services().database.session() as db:
        session = _visible(db, session_id)
        question = asking.ask(db, session, services().settings)
        answer = asking.read(question, given)
        if answer.wrong and not wants_json():
            return _form(db, session, question, answer.wrong)
        run_id = service.again(db, session, answer.checked())
        keep(db, run_id)
    return run_id


@pages.get("/<uuid:session_id>/compare/<uuid:other_id>")
@login_required
def compare(session_id: UUID, other_id: UUID) -> ResponseReturnValue:
    """Two counts of the same photos beside each other, photo by photo (`?photo=2`)."""
    with services().database.session() as db:
        one, other = _visible(db, session_id), _visible(db, other_id)
        found = beside(db, one, other, services().settings.counting)
        sheet = found.sheets[_chosen(len(found.sheets))]
        return render_template(
            "counting/rerun/compare.html",
            beside=found,
            sheet=sheet,
            addresses=_addresses(sheet),
            thumbnails=[_thumbnail(each.one) for each in found.sheets],
            family=siblings(db, one),
        )


def siblings(db: Session, session: PhotoSession) -> list[Sibling]:
    """All counts of a session's photos, the first one first; none where there is only one."""
    found = service.family(db, session)
    if len(found) < 2:
        return []
    ids = [one.run_id for one in found]
    runs = {run.id: run for run in db.scalars(select(Run).where(Run.id.in_(ids)))}
    return [Sibling(one, runs[one.run_id], one.id == session.id) for one in found]


def _form(
    db: Session, session: PhotoSession, question: Question, wrong: dict[str, str]
) -> ResponseReturnValue:
    page = render_template(
        "counting/rerun/again.html",
        session=session,
        run=db.get_one(Run, session.run_id),
        photos=_thumbnails(service.photos_of(db, session)),
        question=question,
        given=request.form if wrong else {},
        errors=wrong,
    )
    return page, 400 if wrong else 200


def _visible(db: Session, session_id: UUID) -> PhotoSession:
    found = db.scalar(select(PhotoSession).where(PhotoSession.session_id == session_id))
    if found is None:
        raise NotFound(NO_RESULT)
    check_owner(found.user_id, NO_RESULT)
    return found


def _addresses(sheet: Sheet) -> Addresses:
    return Addresses(
        photo=services().store.url(sheet.one.s3_key_original, LINK_LIFETIME),
        drawings=(_drawing(sheet.one), _drawing(sheet.other)),
    )


def _drawing(photo: Photo) -> str | None:
    if photo.s3_key_processed is None:
        return None
    name = f"{Path(photo.filename).stem or 'photo'}-counted.avif"
    return services().store.url(photo.s3_key_processed, LINK_LIFETIME, name)


def _thumbnails(photos: Sequence[Photo]) -> list[tuple[Photo, str | None]]:
    return [(photo, _thumbnail(photo)) for photo in photos]


def _thumbnail(photo: Photo) -> str | None:
    key = photo.s3_key_thumbnail
    return services().store.url(key, LINK_LIFETIME) if key else None


def _chosen(photos: int) -> int:
    given = request.args.get("photo", "1")
    number = int(given) if given.isdecimal() and len(given) < 6 else 1
    return min(max(number, 1), photos) - 1
