"""The JSON API of the categories and their templates: `/api/categorias`."""

from uuid import UUID

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from darkroom.accounts.audit import Actor
from darkroom.catalog import categories, envelope
from darkroom.catalog.categories import Listed
from darkroom.catalog.envelope import Json, body, success, times
from darkroom.catalog.models import Category
from darkroom.catalog.prompts import PLACES
from darkroom.catalog.selection import LARGEST
from darkroom.errors import Invalid
from darkroom.queue.models import Run
from darkroom.web.auth import current_user, login_required
from darkroom.web.idempotency import Keep, idempotent
from darkroom.web.services import services

blueprint = Blueprint("catalog_categories_api", __name__, url_prefix="/api/categorias")
blueprint.after_request(envelope.wear)


@blueprint.get("")
@login_required
def index() -> Response:
    """The categories by name, each with the number of its articles."""
    with services().database.session() as session:
        listed = [_listed(each) for each in categories.listed(session)]
    return success({"categorias": listed, "total": len(listed)})


@blueprint.post("")
@login_required
def create() -> ResponseReturnValue:
    """Make a category of `nombre` and `prompt_template` (null: the general one)."""
    with services().database.session() as session:
        answer = _category(categories.create(session, body()))
    return success({"categoria": answer}, "Categoría creada"), 201


@blueprint.put("/<int:category_id>")
@login_required
def change(category_id: int) -> Response:
    """Change the fields that are given."""
    with services().database.session() as session:
        answer = _category(categories.change(session, category_id, body()))
    return success({"categoria": answer}, "Categoría actualizada")


@blueprint.delete("/<int:category_id>")
@login_required
def delete(category_id: int) -> Response:
    """Delete a category without articles."""
    with services().database.session() as session:
        categories.delete(session, category_id)
    return success({"id": category_id}, "Categoría eliminada")


@blueprint.get("/general")
@login_required
def show_general() -> Response:
    """The template of articles whose category has none, and the places it may have."""
    with services().database.session() as session:
        template = categories.general(session)
    return success({"prompt_template": template, "lugares": PLACES})


@blueprint.put("/general")
@login_required
def set_general() -> Response:
    """Change that template: `{"prompt_template": "…"}`; null brings back the first one."""
    sent = body()
    if "prompt_template" not in sent:
        raise Invalid("Send prompt_template: a text, or null.", "prompt_template")
    with services().database.session() as session:
        categories.set_general(session, sent["prompt_template"], Actor.of(current_user()))
    return show_general()


def _previewed(run_id: UUID) -> ResponseReturnValue:
    """What trying a template out, in that run, answered."""
    with services().database.session() as session:
        [[article_id, edit_id, _]] = session.get_one(Run, run_id).params["articles"]
    data = {"run_id": str(run_id), "articulo_id": article_id, "trabajo_id": edit_id}
    return success(data, "Vista previa en la cola")


@blueprint.post("/preview")
@login_required
@idempotent(_previewed)
def preview(keep: Keep) -> UUID | ResponseReturnValue:
    """The prompt of `articulo_id` with `prompt_template`; `"generar": true` buys one picture."""
    sent = body()
    article_id, template, makes = _article_id(sent), _template(sent), sent.get("generar", False)
    if not isinstance(makes, bool):
        raise Invalid("generar must be true or false.", "generar")
    with services().database.session() as session:
        if makes:
            return categories.try_out(session, article_id, template, current_user().id, keep)
        return success({"prompt": categories.preview(session, article_id, template)})


def _article_id(sent: Json) -> int:
    given = sent.get("articulo_id")
    if not isinstance(given, int) or isinstance(given, bool) or not 0 < given <= LARGEST:
        raise Invalid(f"articulo_id must be an article's number, not {given!r}.", "articulo_id")
    return given


def _template(sent: Json) -> str | None:
    given = sent.get("prompt_template")
    if given is not None and not isinstance(given, str):
        raise Invalid("prompt_template must be text.", "prompt_template")
    return given


def _listed(row: Listed) -> Json:
    return {**_category(row.category), "articulos": row.articles}


def _category(row: Category) -> Json:
    return times(
        {
            "id": row.id,
            "nombre": row.nombre,
            "prompt_template": row.prompt_template,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }
    )
