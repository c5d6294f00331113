"""The JSON API of the articles: `/api/articulos`, as clients of the seed system call it."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from darkroom.accounts.audit import Actor
from darkroom.catalog import articles, envelope, importing, receiving, reviewing
from darkroom.catalog.envelope import Json, body, success
from darkroom.catalog.importing import Report, Sent
from darkroom.catalog.models import Article, Version
from darkroom.catalog.selection import FLAGS, ArticleFilter, numbers
from darkroom.errors import Invalid
from darkroom.queue.models import Run
from darkroom.web.auth import current_user, login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.services import services

blueprint = Blueprint("catalog_api", __name__, url_prefix="/api/articulos")
blueprint.after_request(envelope.wear)

LINK_LIFE = timedelta(hours=1)


@blueprint.get("")
@login_required
def index() -> Response:
    """The articles (`?activo=true&categoria_id=1&q=text&imagen=none&estado=failed`).

    Where there are more than one answer holds, `siguiente` is the `after` of the next one.
    """
    wanted = ArticleFilter.read(request.args)
    after = envelope.number("after", 0, low=0) or 0
    limit = envelope.number("limit", articles.MOST, high=articles.MOST) or articles.MOST
    with services().database.session() as session:
        listed = [_article(each) for each in articles.page(session, wanted, after, limit)]
        total = articles.count(session, wanted)
    following = listed[-1]["id"] if len(listed) == limit else None
    return success({"articulos": listed, "total": total, "siguiente": following})


@blueprint.post("")
@login_required
def create() -> ResponseReturnValue:
    """Make an article of `nombre`, `descripcion`, `unidad`, `categoria_id`, `activo`."""
    with services().database.session() as session:
        answer = _article(articles.create(session, body()))
    return success({"articulo": answer}, "Artículo creado"), 201


@blueprint.get("/<int:article_id>")
@login_required
def show(article_id: int) -> Response:
    """One article with the versions of its picture."""
    with services().database.session() as session:
        found = _article(articles.get(session, article_id))
        found["versiones"] = [_version(each) for each in articles.versions(session, article_id)]
    return success({"articulo": found})


@blueprint.put("/<int:article_id>")
@blueprint.patch("/<int:article_id>")
@login_required
def change(article_id: int) -> Response:
    """Change the fields that are given."""
    with services().database.session() as session:
        answer = _article(articles.change(session, article_id, body()))
    return success({"articulo": answer}, "Artículo actualizado")


@blueprint.delete("/<int:article_id>")
@login_required
def delete(article_id: int) -> Response:
    """Delete an article, its versions and its edits."""
    with services().database.session() as session:
        articles.delete(session, article_id)
    return success({"id": article_id}, "Artículo eliminado")


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
    return success({"version": _version(version)}, "Imagen guardada"), 201


@blueprint.post("/<int:article_id>/rollback")
@login_required
def roll_back(article_id: int) -> Response:
    """Show an earlier picture again: `{"version_id": 7}`; without one, the one before."""
    version_id = (request.get_json(silent=True) or {}).get("version_id")
    if version_id is not None:
        [version_id] = numbers([version_id], "version_id")
    with services().database.session() as session:
        actor = Actor.of(current_user())
        version = _version(reviewing.roll_back(session, article_id, actor, version_id))
    return success({"version": version}, "Imagen restaurada")


@blueprint.get("/imagenes/<int:version_id>")
@login_required
def send_picture(version_id: int) -> ResponseReturnValue:
    """The picture of a version."""
    with services().database.session() as session:
        asset = receiving.file_of(session, version_id)
    return redirect(services().store.url(asset.storage_key, LINK_LIFE))


def _imported(run_id: UUID) -> ResponseReturnValue:
    """What the import that made a run answered."""
    with services().database.session() as session:
        report = Report.of(session.get_one(Run, run_id))
    message = f"{report.created + report.updated} artículo(s) importado(s)"
    return success({**_report(report), "run_id": str(run_id)}, message)


@blueprint.post("/import")
@login_required
@idempotent(_imported)
def import_articles(keep: Keep) -> UUID:
    """Import articles (multipart `csv`, `zip`; `procesar=true` has their pictures edited)."""
    process = request.form.get("procesar", "false").lower()
    if process not in FLAGS:
        raise Invalid(f"procesar must be true or false, not {process!r}.", "procesar")
    found = services()
    sent = Sent(request.files.get("csv"), request.files.get("zip"), FLAGS[process])
    return importing.carry_out(
        found.settings, found.database, found.store, sent, current_user().id, keep
    )


# What is answered.


def _report(report: Report) -> Json:
    return {
        "creados": report.created,
        "actualizados": report.updated,
        "imagenes": report.pictures,
        "por_descargar": report.downloads,
        "en_cola": report.queued,
        "categorias_nuevas": report.categories,
        "codificacion": report.encoding,
        "filas_malas": [
            {"linea": each.line, "campo": each.field, "motivo": each.message}
            for each in report.problems
        ],
    }


def _article(row: Article) -> Json:
    return envelope.times(
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
    return envelope.times(
        {
            "id": row.id,
            "url": row.url,
            "origen": row.origen,
            "width": row.width,
            "height": row.height,
            "veredicto": row.veredicto,
            "is_sandbox": row.is_sandbox,
            "is_preview": row.is_preview,
            "removed_at": row.removed_at,
            "created_at": row.created_at,
        }
    )
