"""The JSON API of counting: `/api/v1/stock`, as clients of the seed system call it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.accounts import service as accounts
from darkroom.counting import results
from darkroom.counting.models import PhotoSession
from darkroom.counting.places import choosing
from darkroom.counting.places.choosing import Question
from darkroom.counting.places.locations import FIELD
from darkroom.counting.rerun import asking
from darkroom.counting.rerun import service as rerun
from darkroom.counting.results import SessionResult
from darkroom.counting.stock import outcome
from darkroom.errors import Invalid, NotFound
from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.web.auth import check_owner, current_user, login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end
from darkroom.web.words import N_

Json = dict[str, Any]

blueprint = Blueprint("counting_api", __name__, url_prefix="/api/v1/stock")

NO_TASK = "There is no such task."
LOCATION = (
    "status",
    "storage_location_id",
    "location_source",
    "location_distance_m",
    "without_location",
    "storage_location_config_id",
    "expected_product_id",
    "expected_product_state_id",
    "expected_container_type_id",
)


def _accepted(run_id: UUID) -> ResponseReturnValue:
    return _begun(run_id, f"Photo uploaded. Polling URL: /api/v1/stock/tasks/{run_id}")


def _again(run_id: UUID) -> ResponseReturnValue:
    return _begun(run_id, f"The photos are counted again: /api/v1/stock/tasks/{run_id}")


def _begun(run_id: UUID, message: str) -> ResponseReturnValue:
    """202, or the finished task with 200 when the caller prefers to wait and it ends in time."""
    if wait_for_end(run_id):
        there = url_for("counting_api.task", task_id=run_id)
        return jsonify(_task(run_id)), 200, {"Content-Location": there}
    with services().database.session() as session:
        session_id = session.get_one(Run, run_id).params["session_id"]
    answer = {
        "task_id": str(run_id),
        "session_id": session_id,
        "status": "pending",
        "message": message,
    }
    return jsonify(answer), 202


@blueprint.post("/photo")
@login_required
@idempotent(_accepted)
def upload_photo(keep: Keep) -> UUID:
    """Take one or several photos (multipart `file`) and queue them to be counted.

    `storage_location_id` names the location that they show, by number or code.
    """
    files = request.files.getlist("file")
    location = request.values.get(FIELD)
    sent = services().counting.receive(
        files, _owner_id(), source="api", keep=keep, location=location
    )
    return sent.run_id


@blueprint.get("/tasks/status")
@login_required
def task_status() -> Response:
    """The task named by the query parameter `task_id`."""
    given = request.args.get("task_id", "")
    try:
        task_id = UUID(given)
    except ValueError:
        raise Invalid(
            f"task_id must be the id that the upload answered, not {given!r}.", "task_id"
        ) from None
    return _task_answer(task_id)


@blueprint.get("/tasks/<uuid:task_id>")
@login_required
def task(task_id: UUID) -> Response:
    """Status, progress, totals, detections, estimations and the URLs of the pictures."""
    return _task_answer(task_id)


@blueprint.get("/tasks/<uuid:task_id>/location")
@login_required
def location_of(task_id: UUID) -> Response:
    """Where the photos were taken, and the locations to choose from, nearest first."""
    within = services().settings.counting.nearest_metres
    with services().database.session() as session:
        photos = _photos_of(session, task_id)
        return jsonify(_location(photos) | _question(choosing.question(session, photos, within)))


@blueprint.post("/tasks/<uuid:task_id>/location")
@login_required
def choose_location(task_id: UUID) -> Response:
    """Settle the location of a task that waits: `storage_location_id`, by number or code.

    `without_location` true has it counted without one instead.
    """
    location = _chosen()
    with services().database.session() as session:
        photos = _photos_of(session, task_id)
        if location is None:
            choosing.leave_out(session, photos)
        else:
            choosing.choose(session, photos, location)
        session.refresh(photos)
        return jsonify(_location(photos))


@blueprint.get("/tasks/<uuid:task_id>/again")
@login_required
def settings_of(task_id: UUID) -> Response:
    """What the task was counted with, and what weights and figures there are to choose from."""
    with services().database.session() as session:
        asked = asking.ask(session, _photos_of(session, task_id), services().settings)
    choices = {knob.name: knob.options for knob in asked.known if knob.options}
    return jsonify(settings=asked.in_use, choices=choices)


@blueprint.post("/tasks/<uuid:task_id>/again")
@login_required
@idempotent(_again)
def count_again(task_id: UUID, keep: Keep) -> UUID:
    """Count the photos of a task again, with the settings that the body names in place of its own.

    The body is a JSON object or a form: see `/tasks/<task_id>/again` for what it may hold.
    """
    given = _body()
    with services().database.session() as session:
        photos = _photos_of(session, task_id)
        answer = asking.read(asking.ask(session, photos, services().settings), given)
        run_id = rerun.again(session, photos, answer.checked())
        keep(session, run_id)
    return run_id


@blueprint.after_request
def add_detail(answer: Response) -> Response:
    """Clients of the seed system read an error's text from `detail`."""
    if answer.status_code >= 400 and answer.is_json:
        body = answer.get_json()
        answer.set_data(jsonify(body | {"detail": body["error"]["message"]}).get_data())
    return answer


def _body() -> Mapping[str, Any]:
    """What a JSON object or a form says."""
    body = request.get_json(silent=True) if request.is_json else request.form
    if not isinstance(body, Mapping):
        raise Invalid("Send a JSON object or a form.")
    return body


def _chosen() -> str | None:
    """The location that the request names; None to go on without one."""
    body = request.get_json(silent=True) if request.is_json else request.form
    given = body.get(FIELD) if isinstance(body, Mapping) else None
    without = isinstance(body, Mapping) and body.get("without_location") in (True, "true")
    named = isinstance(given, str | int) and not isinstance(given, bool) and given != ""
    if without == named:
        raise Invalid(N_("Give either storage_location_id or without_location."), FIELD)
    return str(given) if named else None


def _photos_of(session: Session, task_id: UUID) -> PhotoSession:
    found = session.scalar(select(PhotoSession).where(PhotoSession.run_id == task_id))
    if found is None:
        raise NotFound(NO_TASK, "task_id")
    check_owner(found.user_id, NO_TASK)
    return found


def _location(photos: PhotoSession | SessionResult) -> Json:
    return {name: getattr(photos, name) for name in LOCATION}


def _question(asked: Question) -> Json:
    return {
        "doubt": asked.doubt,
        "positions": asked.positions,
        "candidates": [
            vars(one.location) | {"distance_m": one.distance} for one in asked.candidates
        ],
    }


def _owner_id() -> int:
    """The caller, or the user an administrator names by `user_id`.

    Darkroom's own users own nothing: number 1, which clients of the seed send, means the caller.
    """
    user = current_user()
    given = request.values.get("user_id")
    if given is None or not user.is_admin:
        return user.id
    with services().database.session() as session:
        owner = (
            accounts.get_user(session, int(given))
            if given.isdecimal() and len(given) < 10
            else None
        )
    if owner is not None and owner.is_system:
        return user.id
    if owner is None or not owner.is_active:
        raise Invalid(f"There is no active user {given!r}.", "user_id")
    return owner.id


def _task_answer(task_id: UUID) -> Response:
    wait_for_end(task_id)
    return jsonify(_task(task_id))


def _task(task_id: UUID) -> Json:
    with services().database.session() as session:
        run, result = _found(session, task_id)
        return _answer(run, result) | {"stock": outcome.as_json(session, run.id)}


def _found(session: Session, task_id: UUID) -> tuple[Run, SessionResult]:
    run = runs.get(session, task_id)
    result = results.of_run(session, task_id, services().store)
    if run is None or result is None:
        raise NotFound(NO_TASK, "task_id")
    check_owner(run.owner_id, NO_TASK)
    return run, result


def _answer(run: Run, result: SessionResult) -> Json:
    photos = [results.as_json(photo) for photo in result.photos]
    first = result.photos[0]
    return {
        "task_id": str(run.id),
        "session_id": str(result.session_id),
        "status": result.status,
        "progress": round(run.progress, 4),
        "message": run.note.format(**run.note_values),
        "total_detected": result.total_detected,
        "total_estimated": result.total_estimated,
        "total_empty_containers": result.total_empty_containers,
        "total_reviewed": result.total_reviewed,
        "total_unbiased": result.total_unbiased,
        "interval_80": [result.interval_low, result.interval_high],
        "avg_confidence": result.avg_confidence,
        "category_counts": result.category_counts,
        "needs_review": result.needs_review,
        "review_reasons": [_reason(reason) for reason in result.review_reasons],
        **_location(result),
        "settings": result.settings,
        "rerun_of": result.rerun_of and str(result.rerun_of),
        "overlaps": [results.as_json(shared) for shared in result.overlaps],
        "detections": [row for photo in photos for row in photo["detections"]],
        "estimations": [row for photo in photos for row in photo["estimations"]],
        "image_url": first.image_url,
        "thumbnail_url": first.thumbnail_url,
        "visualization_url": first.visualization_url,
        "photos": [_without_rows(photo) for photo in photos],
        "error": result.error_message,
    }


def _reason(reason: Json) -> Json:
    """Why a person has to look, with the sentence filled in."""
    shown = {name: reason[name] for name in ("photo", "container", "code", "values")}
    return shown | {"message": reason["text"].format(**reason["values"])}


def _without_rows(photo: Json) -> Json:
    return {
        name: value for name, value in photo.items() if name not in ("detections", "estimations")
    }
