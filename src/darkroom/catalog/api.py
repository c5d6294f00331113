"""The JSON API of the catalog: `/api/articulos`, as clients of the seed system call it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from darkroom.catalog import articles, queueing, receiving
from darkroom.catalog.models import Article, Version
from darkroom.catalog.queueing import Queued
from darkroom.errors import Invalid
from darkroom.queue.models import Run
from darkroom.web.auth import current_user, login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.services import services

Json = dict[str, Any]

blueprint = Blueprint("catalog_api", __name__, url_prefix="/api/articulos")

LINK_LIFE = timedelta(hours=1)
MOST_AT_ONCE = 10_000
MOST_ROWS = 500
LARGEST = 2**31 - 1
LEFT_OUT = {
    "missing": "El artículo no existe",
    "no_image": "El artículo no tiene imagen",
    "queued": "El artículo ya está en la cola",
}


@blueprint.get("")
@login_required
def index() -> Response:
    """The articles (`?activo=true&categoria_id=1&q=text`)."""
    with services().database.session() as session:
        found = articles.find(
            session,
            activo=_flag("activo"),
            categoria_id=_number("categoria_id"),
            text=request.args.get("q"),
        )
        listed = [_article(each) for each in found]
    return _success({"articulos": listed, "total": len(listed)})


@blueprint.post("")
@login_required
def create() -> ResponseReturnValue:
    """Make an article of `nombre`, `descripcion`, `unidad`, `categoria_id`, `activo`."""
    with services().database.session() as session:
        made = articles.create(session, _body())
        answer = _article(made)
    return _success({"articulo": answer}, "Artículo creado"), 201


@blueprint.get("/<int:article_id>")
@login_required
def show(article_id: int) -> Response:
    """One article with the versions of its picture."""
    with services().database.session() as session:
        found = _article(articles.get(session, article_id))
        found["versiones"] = [_version(each) for each in articles.versions(session, article_id)]
    return _success({"articulo": found})


@blueprint.put("/<int:article_id>")
@blueprint.patch("/<int:article_id>")
@login_required
def change(article_id: int) -> Response:
    """Change the fields that are given."""
    with services().database.session() as session:
        answer = _article(articles.change(session, article_id, _body()))
    return _success({"articulo": answer}, "Artículo actualizado")


@blueprint.delete("/<int:article_id>")
@login_required
def delete(article_id: int) -> Response:
    """Delete an article, its versions and its edits."""
    with services().database.session() as session:
        articles.delete(session, article_id)
    return _success({"id": article_id}, "Artículo eliminado")


@blueprint.post("/<int:article_id>/imagen")
@login_required
def give_picture(article_id: int) -> ResponseReturnValue:
    """Give an article a picture (multipart `imagen`); older ones stay as versions."""
    file = request.files.get(receiving.FIELD)
    if file is None or not file.filename:
        raise Invalid(f"Attach a picture as “{receiving.FIELD}”.", receiving.FIELD, code="missing")
    found = services()
    version = receiving.receive(
        found.settings, found.database, found.store, article_id, file, current_user().id
    )
    return _success({"version": _version(version)}, "Imagen guardada"), 201


@blueprint.get("/imagenes/<int:version_id>")
@login_required
def send_picture(version_id: int) -> ResponseReturnValue:
    """The picture of a version."""
    with services().database.session() as session:
        asset = receiving.file_of(session, version_id)
    return redirect(services().store.url(asset.storage_key, LINK_LIFE))


def _queued(run_id: UUID) -> ResponseReturnValue:
    """What the queueing that made a run answered."""
    with services().database.session() as session:
        said = session.get_one(Run, run_id).params["articles"]
    return _batch([Queued(article, edit, None, out) for article, edit, out in said])


@blueprint.post("/batch-process-images")
@login_required
@idempotent(_queued)
def batch_process_images(keep: Keep) -> UUID | ResponseReturnValue:
    """Queue articles to be edited: `{"articuloIds": [1, 2], "prioridad": 0}`."""
    body = _body()
    wanted, priority = _article_ids(body), _priority(body)
    with services().database.session() as session:
        run_id, answers = queueing.add(
            session, wanted, owner_id=current_user().id, priority=priority, keep=keep
        )
    return run_id or _batch(answers)


@blueprint.get("/processing-queue/status")
@login_required
def queue_status() -> Response:
    """How many edits are in each state, and the one that goes on now."""
    with services().database.session() as session:
        stats, now = dict(queueing.status(session)), queueing.current(session)
    if now is None:
        return _success({"stats": stats, "articuloActual": None})
    return _success({"stats": stats, "articuloActual": _times(dict(now))})


@blueprint.get("/processing-queue/history")
@login_required
def queue_history() -> Response:
    """Edits, newest first (`?limit=50&offset=0`)."""
    limit = _number("limit", 50, low=1, high=MOST_ROWS)
    offset = _number("offset", 0, low=0)
    with services().database.session() as session:
        rows = queueing.history(session, limit or 1, offset or 0)
        listed = [_times(dict(row)) for row in rows]
    return _success({"historial": listed, "limit": limit, "offset": offset})


def _retried(run_id: UUID) -> ResponseReturnValue:
    with services().database.session() as session:
        [[article_id, edit_id, _]] = session.get_one(Run, run_id).params["articles"]
    data = {"id": edit_id, "articulo_id": article_id, "estado": "pending", "intentos": 0}
    return _success(data, "Artículo agregado nuevamente a la cola")


@blueprint.post("/processing-queue/<int:edit_id>/retry")
@login_required
@idempotent(_retried)
def retry(edit_id: int, keep: Keep) -> UUID:
    """Queue a failed edit again, with all its attempts."""
    with services().database.session() as session:
        return queueing.retry(session, edit_id, current_user().id, keep)


@blueprint.delete("/processing-queue/clean")
@login_required
def clean() -> Response:
    """Delete edits that ended more than `?dias=7` days ago."""
    days = _number("dias", 7, low=0, high=36_500) or 0
    with services().database.session() as session:
        deleted = queueing.clean(session, days)
    return _success({"eliminados": deleted}, f"{deleted} registro(s) eliminado(s) de la cola")


@blueprint.after_request
def wear_envelope(answer: Response) -> Response:
    """Clients of the seed system read an error's text from `message`."""
    if answer.status_code >= 400 and answer.is_json:
        body = answer.get_json()
        told = {"success": False, "message": body["error"]["message"]}
        answer.set_data(jsonify(told | body).get_data())
    return answer


# What is read from a request.


def _body() -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid("Send a JSON object, with Content-Type: application/json.", code="not_json")
    return body


def _article_ids(body: Json) -> list[int]:
    given = body.get("articuloIds")
    if not isinstance(given, list) or not given:
        raise Invalid("articuloIds must be a list of article numbers.", "articuloIds")
    if len(given) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} articles at once.", "articuloIds")
    for each in given:
        if not isinstance(each, int) or isinstance(each, bool) or not 0 < each <= LARGEST:
            raise Invalid(f"articuloIds holds {each!r}, which is no article number.", "articuloIds")
    return given


def _priority(body: Json) -> int:
    given = body.get("prioridad", 0)
    if not isinstance(given, int) or isinstance(given, bool) or abs(given) > LARGEST:
        raise Invalid(f"prioridad must be a whole number, not {given!r}.", "prioridad")
    return given


def _number(
    name: str, default: int | None = None, *, low: int = 1, high: int = LARGEST
) -> int | None:
    given = request.args.get(name)
    if given is None or given == "":
        return default
    if not given.isdecimal() or not low <= int(given) <= high:
        raise Invalid(f"{name} must be a whole number from {low} to {high}, not {given!r}.", name)
    return int(given)


def _flag(name: str) -> bool | None:
    given = request.args.get(name)
    words = {"true": True, "1": True, "false": False, "0": False}
    if given is None or given == "":
        return None
    if given.lower() not in words:
        raise Invalid(f"{name} must be true or false, not {given!r}.", name)
    return words[given.lower()]


# What is answered.


def _success(data: Json, message: str | None = None) -> Response:
    said = {"message": message} if message else {}
    return jsonify({"success": True, **said, "data": data})


def _batch(answers: list[Queued]) -> Response:
    added = [
        {"articuloId": each.article_id, "queueId": each.edit_id}
        for each in answers
        if each.edit_id is not None
    ]
    left = [
        {"articuloId": each.article_id, "razon": LEFT_OUT[each.left_out]}
        for each in answers
        if each.left_out is not None
    ]
    details = {"agregados": added, "omitidos": left}
    data = {"agregados": len(added), "omitidos": len(left), "detalles": details}
    return _success(data, f"{len(added)} artículo(s) agregado(s) a la cola de procesamiento")


def _article(row: Article) -> Json:
    return _times(
        {
            "id": row.id,
            "nombre": row.nombre,
            "descripcion": row.descripcion,
            "unidad": row.unidad,
            "categoria_id": row.categoria_id,
            "activo": row.activo,
            "imagen_url": row.imagen_url,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }
    )


def _version(row: Version) -> Json:
    return _times(
        {
            "id": row.id,
            "url": row.url,
            "origen": row.origen,
            "width": row.width,
            "height": row.height,
            "veredicto": row.veredicto,
            "is_sandbox": row.is_sandbox,
            "removed_at": row.removed_at,
            "created_at": row.created_at,
        }
    )


def _times(row: Json) -> Json:
    """The row with its times as the seed system writes them."""
    return {
        name: _time(value) if isinstance(value, datetime) else value for name, value in row.items()
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
