"""The JSON API of publishing, with the paths, names and words of the system it replaces."""

import base64
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from darkroom.publishing import activities, forms, requesting, status
from darkroom.publishing.models import Activity, Publication, PublicationPicture
from darkroom.publishing.status import Preview, Progress
from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.web.auth import current_user, login_required, scope
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end, wait_until

Json = dict[str, Any]

blueprint = Blueprint("publishing_api", __name__, url_prefix="/api")

GENERATED = "Imágenes generadas exitosamente. Subida a WordPress en proceso..."
UPLOADED = "Imágenes generadas y subidas a WordPress exitosamente."
UPLOAD_FAILED = "Imágenes generadas exitosamente. La subida a WordPress ha fallado."
GENERATING = "Las imágenes aún se están generando. Repita la solicitud para recibirlas."
NOT_GENERATED = "No se pudo generar ninguna imagen."
WRITING = "La actividad aún se está creando."
WORDS = {
    "processing": ("processing_in_background", GENERATED),
    "completed": ("completed", UPLOADED),
    "failed": ("failed", UPLOAD_FAILED),
}
REFUSED = ("Refused", "Invalid")


@blueprint.post("/images/created_img")
@login_required
def create() -> ResponseReturnValue:
    """Have pictures made for a post; answers as soon as they exist, or after two minutes.

    The same `run_id`, `wp_post_id`, `field`, `prompt` and `n` again are the same request.
    """
    sent = forms.body()
    wish, waits = forms.wish(sent), forms.flag(sent, "wait_for_upload")
    found = services()
    with found.database.session() as session:
        publication_id = requesting.publish(session, found.settings, current_user(), wish)
    return _answered(publication_id, waits_for_upload=waits)


@blueprint.post("/images/created_img/edit")
@login_required
def edit() -> ResponseReturnValue:
    """Have a picture that was made edited by a new prompt; `mode` says `replace` or `join`."""
    sent = forms.body()
    prompt, joins = requesting.checked_prompt(sent.get("prompt")), forms.joins(sent)
    post_id, run_id = forms.post_id(sent.get("wp_post_id")), forms.run_id(sent.get("run_id"))
    index = forms.number(sent.get("index", 1), "index", requesting.MOST_PICTURES)
    waits = forms.flag(sent, "wait_for_upload")
    with services().database.session() as session:
        found = requesting.of_post(session, scope(), post_id, run_id)
        source = requesting.picture(session, found, index)
        publication_id = requesting.edit(session, source, prompt, joins=joins)
    return _answered(publication_id, waits_for_upload=waits)


@blueprint.get("/images/upload-status")
@login_required
def upload_status() -> Response:
    """How far the pictures of a post have come (`?wp_post_id=…&run_id=…`)."""
    return jsonify(_status(*_asked()))


@blueprint.post("/images/upload-status/retry")
@login_required
def retry() -> ResponseReturnValue:
    """Go on where the pictures of a post failed; what was done is not done again."""
    post_id, run_id = _asked()
    with services().database.session() as session:
        requesting.retry(session, requesting.of_post(session, scope(), post_id, run_id))
    return jsonify(_status(post_id, run_id)), 202


def _written(run_id: UUID) -> ResponseReturnValue:
    """What creating an activity answers: its post, as soon as it is there."""
    is_over = wait_for_end(run_id, services().settings.publishing.wait_seconds)
    with services().database.session() as session:
        run = session.get_one(Run, run_id)
        found = session.get_one(Activity, UUID(run.params["activity_id"]))
        answer, error = _activity_json(found), run.error or {}
        is_done = run.status == "completed"
    if is_done:
        return jsonify({**answer, "status": "created"}), 201
    if not is_over:
        where = {"Location": f"/api/v1/runs/{run_id}"}
        return jsonify({**answer, "status": "processing", "message": WRITING}), 202, where
    return jsonify({**answer, "status": "failed", **_error(error)}), _failed_status(error)


@blueprint.post("/activities")
@login_required
@idempotent(_written)
def create_activity(keep: Keep) -> UUID:
    """Write a new post of a configured type (`tema`, `tipo_de_actividad`, …)."""
    wish = forms.activity(forms.body())
    found = services()
    with found.database.session() as session:
        return activities.create(session, found.settings, current_user(), wish, keep)


def _answered(publication_id: UUID, *, waits_for_upload: bool) -> ResponseReturnValue:
    with services().database.session() as session:
        run_id = session.get_one(Publication, publication_id).run_id

    def is_there() -> bool:
        with services().database.session() as session:
            found = requesting.pictures_of(session, publication_id)
            is_done = status.state_of(found) != "processing"
            return is_done if waits_for_upload else status.are_made(found)

    if run_id is not None:
        wait_until(run_id, is_there, services().settings.publishing.wait_seconds)
    with services().database.session() as session:
        publication = session.get_one(Publication, publication_id)
        previews = status.previews(session, publication_id)
        run = runs.get(session, publication.run_id) if publication.run_id else None
        error = (run.error if run else None) or {}
        session.expunge_all()
    return _made(publication, previews, error)


def _made(
    publication: Publication, previews: Sequence[Preview], error: Json
) -> ResponseReturnValue:
    said: Json = {"run_id": publication.client_run_id, "wp_post_id": publication.wp_post_id}
    found = [each.picture for each in previews]
    if not status.are_made(found):
        where = {"Location": _status_url(publication)}
        waiting = {"status": "processing", "wp_upload_status": "pending", "message": GENERATING}
        return jsonify({**said, **waiting, "status_url": where["Location"]}), 202, where
    made = [each for each in previews if each.asset is not None]
    if not made:
        first = next((each.error for each in found if each.error), None)
        failed = _error({"message": first, **error})
        body = {**said, "status": "failed", **failed, "retry_url": _retry_url(publication)}
        return jsonify(body), _failed_status(error)
    upload, message = WORDS[status.state_of(found)]
    told = {"status": "images_generated", "wp_upload_status": upload, "message": message}
    shown = [_preview_json(publication, each) for each in previews]
    return jsonify({**said, **told, "previews": shown}), 200


def _preview_json(publication: Publication, preview: Preview) -> Json:
    picture, asset = preview.picture, preview.asset
    said: Json = {"index": picture.index, "wp_status": picture.wp_status}
    if asset is None:
        return {**said, "status": "failed", "error": picture.error}
    with services().store.open(asset.storage_key) as file:
        data = base64.b64encode(file.read()).decode()
    stem = requesting.file_stem(publication.client_run_id)
    return {
        **said,
        "filename": f"{stem}-preview-{picture.index}.jpg",
        "size_kb": round(asset.size_bytes / 1024),
        "data_url": f"data:{asset.mime};base64,{data}",
        "status": "generated",
    }


def _asked() -> tuple[int, str]:
    """The post and the run_id that a request is about: of its query, or of its body."""
    given: Json = request.args.to_dict() or request.get_json(silent=True) or {}
    return forms.post_id(given.get("wp_post_id")), forms.run_id(given.get("run_id"))


def _status(post_id: int, run_id: str) -> Json:
    with services().database.session() as session:
        found = requesting.of_post(session, scope(), post_id, run_id)
        return _status_json(status.progress(session, found))


def _status_json(found: Progress) -> Json:
    publication = found.publication
    is_done = found.state == "completed"
    answer: Json = {
        "wp_post_id": publication.wp_post_id,
        "endpoint": publication.endpoint,
        "status": found.state,
        "uploaded_fields": [_uploaded_json(each) for each in found.with_status("completed")],
        "pending_fields": [
            {"field": each.field, "status": each.wp_status}
            for each in found.with_status(*status.MOVING)
        ],
        "post_url": publication.post_url if is_done else None,
    }
    failed = found.with_status("failed")
    if failed:
        answer["failed_fields"] = [
            {"field": each.field, "status": "failed", "error": each.error} for each in failed
        ]
        answer |= {"error": failed[0].error, "retry_url": _retry_url(publication)}
    return answer


def _uploaded_json(picture: PublicationPicture) -> Json:
    return {"field": picture.field, "media_id": picture.media_id, "status": "completed"}


def _activity_json(found: Activity) -> Json:
    return {
        "run_id": found.client_run_id,
        "wp_post_id": found.wp_post_id,
        "endpoint": found.endpoint,
        "post_url": found.post_url,
    }


def _error(error: Json) -> Json:
    message = error.get("message") or NOT_GENERATED
    said = {"code": "failed", "message": message, "field": error.get("field")}
    return {"message": message, "error": said}


def _failed_status(error: Json) -> int:
    """The caller's mistake, or that of a service behind us."""
    return 422 if error.get("class") in REFUSED else 502


def _status_url(publication: Publication) -> str:
    return url_for("publishing_api.upload_status", **_place(publication))


def _retry_url(publication: Publication) -> str:
    return url_for("publishing_api.retry", **_place(publication))


def _place(publication: Publication) -> Json:
    return {"wp_post_id": publication.wp_post_id, "run_id": publication.client_run_id}
