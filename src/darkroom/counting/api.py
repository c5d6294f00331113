"""The JSON API of counting: `/api/v1/stock`, as clients of the seed system call it."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from darkroom.accounts import service as accounts
from darkroom.counting import results
from darkroom.counting.results import SessionResult
from darkroom.errors import Invalid, NotFound
from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.web.auth import check_owner, current_user, login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end

Json = dict[str, Any]

blueprint = Blueprint("counting_api", __name__, url_prefix="/api/v1/stock")

NO_TASK = "There is no such task."


def _accepted(run_id: UUID) -> ResponseReturnValue:
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
        "message": f"Photo uploaded. Polling URL: /api/v1/stock/tasks/{run_id}",
    }
    return jsonify(answer), 202


@blueprint.post("/photo")
@login_required
@idempotent(_accepted)
def upload_photo(keep: Keep) -> UUID:
    """Take one or several photos (multipart `file`) and queue them to be counted."""
    files = request.files.getlist("file")
    return services().counting.receive(files, _owner_id(), source="api", keep=keep).run_id


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


@blueprint.after_request
def add_detail(answer: Response) -> Response:
    """Clients of the seed system read an error's text from `detail`."""
    if answer.status_code >= 400 and answer.is_json:
        body = answer.get_json()
        answer.set_data(jsonify(body | {"detail": body["error"]["message"]}).get_data())
    return answer


def _owner_id() -> int:
    """The caller, or the user an administrator names by `user_id`."""
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
    if owner is None or not owner.is_active:
        raise Invalid(f"There is no active user {given!r}.", "user_id")
    return owner.id


def _task_answer(task_id: UUID) -> Response:
    wait_for_end(task_id)
    return jsonify(_task(task_id))


def _task(task_id: UUID) -> Json:
    with services().database.session() as session:
        run, result = _found(session, task_id)
        return _answer(run, result)


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
        "total_unbiased": result.total_unbiased,
        "interval_80": [result.interval_low, result.interval_high],
        "avg_confidence": result.avg_confidence,
        "category_counts": result.category_counts,
        "needs_review": result.needs_review,
        "detections": [row for photo in photos for row in photo["detections"]],
        "estimations": [row for photo in photos for row in photo["estimations"]],
        "image_url": first.image_url,
        "thumbnail_url": first.thumbnail_url,
        "visualization_url": first.visualization_url,
        "photos": [_without_rows(photo) for photo in photos],
        "error": result.error_message,
    }


def _without_rows(photo: Json) -> Json:
    return {
        name: value for name, value in photo.items() if name not in ("detections", "estimations")
    }
