"""The JSON API of publishing, with the paths, names and words of the system it replaces."""

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from darkroom.publishing import activities, forms, history, requesting, sites, status
from darkroom.publishing.history import Post
from darkroom.publishing.models import Activity, Publication, PublicationPicture
from darkroom.publishing.status import Preview
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


def _shown(run_id: UUID) -> ResponseReturnValue:
    """What a request for pictures answers: those of its run."""
    return _answered(_published_by(run_id))


@blueprint.post("/images/created_img")
@login_required
@idempotent(_shown)
def create(keep: Keep) -> UUID | ResponseReturnValue:
    """Have pictures made for a post; answers as soon as they exist, or after two minutes.

    The same `run_id`, `wp_post_id`, `field`, `prompt` and `n` again are the same request.
    """
    wish, found = forms.wish(_sent()), services()
    with found.database.session() as session:
        made = requesting.publish(session, found.settings, current_user(), wish, keep)
    return _run_or_answer(made)


@blueprint.post("/images/created_img/edit")
@login_required
@idempotent(_shown)
def edit(keep: Keep) -> UUID | ResponseReturnValue:
    """Have a picture that was made edited by a new prompt; `mode` says `replace` or `join`."""
    sent = _sent()
    prompt, joins, post = forms.prompt(sent), forms.joins(sent), forms.post(sent)
    index = forms.number(sent.get("index", 1), "index", requesting.HIGHEST_INDEX)
    with services().database.session() as session:
        source = requesting.picture(session, history.of_post(session, scope(), post), index)
        made = requesting.edit(session, source, prompt, joins=joins, keep=keep)
    return _run_or_answer(made)


@blueprint.get("/images/upload-status")
@login_required
def upload_status() -> Response:
    """How far the pictures of a post have come (`?wp_post_id=…&run_id=…`)."""
    with services().database.session() as session:
        return jsonify(_status_json(session, history.of_post(session, scope(), _asked())))


def _retried(run_id: UUID) -> ResponseReturnValue:
    """What a retry answers: how its post stands."""
    with services().database.session() as session:
        found = session.get_one(Publication, _published_by(run_id))
        return jsonify(_status_json(session, requesting.together(session, found))), 202


@blueprint.post("/images/upload-status/retry")
@login_required
@idempotent(_retried)
def retry(keep: Keep) -> UUID:
    """Go on where the pictures of a post failed; what was done is not done again."""
    with services().database.session() as session:
        found = history.of_post(session, scope(), _asked())
        return requesting.retry(session, found, keep)


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


def _sent() -> Json:
    """The body of a request for pictures; what `_answered` reads of it is checked beforehand."""
    sent = forms.body()
    forms.flag(sent, "wait_for_upload")
    return sent


def _published_by(run_id: UUID) -> UUID:
    with services().database.session() as session:
        return UUID(session.get_one(Run, run_id).params["publication_id"])


def _run_or_answer(publication_id: UUID) -> UUID | ResponseReturnValue:
    """The run that the answer is made of; the answer itself where the run was cleaned up."""
    with services().database.session() as session:
        run_id = session.get_one(Publication, publication_id).run_id
    return run_id or _answered(publication_id)


def _answered(publication_id: UUID) -> ResponseReturnValue:
    waits_for_upload = forms.flag(forms.body(), "wait_for_upload")
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
        place = _place(session, publication)
        previews = status.previews(session, publication_id)
        run = runs.get(session, publication.run_id) if publication.run_id else None
        error = (run.error if run else None) or {}
        session.expunge_all()
    return _made(publication, place, previews, error)


def _made(
    publication: Publication, place: Json, previews: Sequence[Preview], error: Json
) -> ResponseReturnValue:
    said: Json = {"run_id": publication.client_run_id, "wp_post_id": publication.wp_post_id}
    found = [each.picture for each in previews]
    if not status.are_made(found):
        where = {"Location": _at("publishing_api.upload_status", place)}
        waiting = {"status": "processing", "wp_upload_status": "pending", "message": GENERATING}
        return jsonify({**said, **waiting, "status_url": where["Location"]}), 202, where
    made = [each for each in previews if each.asset is not None]
    if not made:
        first = next((each.error for each in found if each.error), None)
        failed = _error({"message": first, **error})
        again = {"retry_url": _at("publishing_api.retry", place)}
        return jsonify({**said, "status": "failed", **failed, **again}), _failed_status(error)
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


def _asked() -> Post:
    """The post that a request is about: of its query, or of its body."""
    given = request.args.to_dict() or request.get_json(silent=True)
    return forms.post(given if isinstance(given, dict) else {})


def _status_json(session: Session, publications: Sequence[Publication]) -> Json:
    found = status.progress(session, publications)
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
        retry_url = _at("publishing_api.retry", _place(session, publication))
        answer |= {"error": failed[0].error, "retry_url": retry_url}
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


def _place(session: Session, publication: Publication) -> Json:
    """What addresses call a post; a site that was removed has no name any more."""
    site = sites.name_of(session, publication.site_id)
    return {
        "wp_post_id": publication.wp_post_id,
        "run_id": publication.client_run_id,
        **({"site": site} if site else {}),
        "endpoint": publication.endpoint,
    }


def _at(view: str, place: Json) -> str:
    # Not by url_for: it has another use for the word "endpoint".
    return f"{url_for(view)}?{urlencode(place)}"
