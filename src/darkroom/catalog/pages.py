"""The pages of articles: the list, one article with its pictures, and its form."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import format_currency, gettext

from darkroom.accounts.audit import Actor
from darkroom.catalog import articles, categories, listing, receiving, reviewing
from darkroom.catalog.forms import row_number
from darkroom.catalog.listing import EditRow
from darkroom.catalog.models import Article
from darkroom.catalog.selection import STATES, ArticleFilter
from darkroom.errors import Invalid, NotFound
from darkroom.web import thumbnails
from darkroom.web.auth import current_user, login_required
from darkroom.web.services import services

pages = Blueprint("catalog", __name__, url_prefix="/catalog", template_folder="templates")

PAGE = 50
TEXTS = ("nombre", "descripcion", "unidad")


def is_sandbox() -> bool:
    """Whether the sandbox edits the pictures, in place of a real model."""
    return services().settings.providers.gemini.is_sandbox


def usd(amount: Decimal) -> str:
    """Dollars as the reader writes them: with cents, and smaller parts where there are any."""
    return str(format_currency(amount, "USD", "¤#,##0.00##", currency_digits=False))


@pages.record_once
def _offer_to_templates(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals.update(catalog_is_sandbox=is_sandbox)
    state.app.jinja_env.filters.update(usd=usd)


@pages.get("")
@login_required
def index() -> ResponseReturnValue:
    """The articles that fit the filter in the address."""
    wanted, error = _wanted()
    after = row_number(request.args.get("after")) or 0
    with services().database.session() as db:
        found = articles.page(db, wanted, after, PAGE + 1)
        page = render_template(
            "catalog/index.html",
            rows=listing.article_rows(db, found[:PAGE]),
            next=found[PAGE - 1].id if len(found) > PAGE else None,
            count=articles.count(db, wanted),
            first_page=not after,
            given=_given(),
            query=urlencode(_given()),
            error=error,
            states=STATES,
            categories=categories.find(db),
        )
    return page, error.status if error else 200


@pages.get("/articles/new")
@login_required
def new() -> ResponseReturnValue:
    """The form of an article to be added."""
    return _new_page({"activo": True})


@pages.post("/articles/new")
@login_required
def create() -> ResponseReturnValue:
    """Add an article."""
    try:
        with services().database.session() as db:
            made = articles.create(db, _sent())
    except Invalid as error:
        return _new_page(_sent(), error)
    flash(gettext("Added. Now give it a picture."))
    return _to_article(made.id)


@pages.get("/articles/<int:article_id>")
@login_required
def show(article_id: int) -> ResponseReturnValue:
    """One article: its fields, the versions of its picture, its edits."""
    return _article_page(article_id)


@pages.post("/articles/<int:article_id>")
@login_required
def change(article_id: int) -> ResponseReturnValue:
    """Change the fields of an article."""
    try:
        with services().database.session() as db:
            articles.change(db, article_id, _sent())
    except NotFound:
        raise
    except Invalid as error:
        return _article_page(article_id, _sent(), error)
    flash(gettext("Saved."))
    return _to_article(article_id)


@pages.post("/articles/<int:article_id>/delete")
@login_required
def delete(article_id: int) -> ResponseReturnValue:
    """Delete an article with its pictures."""
    with services().database.session() as db:
        articles.delete(db, article_id)
    flash(gettext("Deleted."))
    return redirect(url_for("catalog.index"), 303)


@pages.post("/articles/<int:article_id>/picture")
@login_required
def give_picture(article_id: int) -> ResponseReturnValue:
    """Make a picture that is sent the article's."""
    found, file = services(), request.files.get(receiving.FIELD)
    try:
        if file is None or not file.filename:
            raise Invalid("Choose a picture first.", receiving.FIELD, code="missing")
        receiving.receive(
            found.settings, found.database, found.store, article_id, file, current_user().id
        )
    except NotFound:
        raise
    except Invalid as error:
        return _article_page(article_id, None, error)
    flash(gettext("The article shows the new picture; the older ones stay as versions."))
    return _to_article(article_id)


@pages.post("/articles/<int:article_id>/roll-back/<int:version_id>")
@login_required
def roll_back(article_id: int, version_id: int) -> ResponseReturnValue:
    """Show an earlier picture of the article again."""
    with services().database.session() as db:
        before = articles.get(db, article_id).imagen_version_id
        reviewing.roll_back(db, article_id, Actor.of(current_user()), version_id)
    return redirect(url_for("catalog.show", article_id=article_id, undo=before), 303)


@pages.get("/pictures/<int:version_id>/small")
@login_required
def small_picture(version_id: int) -> ResponseReturnValue:
    """A reduced picture of a version, for lists."""
    with services().database.session() as db:
        asset = receiving.file_of(db, version_id)
    return thumbnails.answer(asset)


def _wanted() -> tuple[ArticleFilter, Invalid | None]:
    """The filter of the address; where it cannot be read, all articles and what is wrong."""
    try:
        return ArticleFilter.read(request.args), None
    except Invalid as error:
        return ArticleFilter(), error


def _given() -> dict[str, str]:
    names = ("q", "activo", "categoria_id", "imagen", "estado", "veredicto")
    return {name: request.args[name] for name in names if request.args.get(name)}


def _sent() -> dict[str, Any]:
    """The fields of the form that was sent; a box that is not ticked says no."""
    found: dict[str, Any] = {name: request.form.get(name, "") for name in TEXTS}
    category = request.form.get("categoria_id") or None
    number = row_number(category) or category
    return {**found, "categoria_id": number, "activo": "activo" in request.form}


def _new_page(given: Mapping[str, Any], error: Invalid | None = None) -> ResponseReturnValue:
    with services().database.session() as db:
        page = render_template(
            "catalog/new.html", given=given, errors=_errors(error), categories=categories.find(db)
        )
    return page, error.status if error else 200


def _article_page(
    article_id: int, given: Mapping[str, Any] | None = None, error: Invalid | None = None
) -> ResponseReturnValue:
    with services().database.session() as db:
        article = articles.get(db, article_id)
        edits = listing.edits_of(db, article_id)
        page = render_template(
            "catalog/article.html",
            article=article,
            given=given or _fields(article),
            errors=_errors(error),
            versions=articles.versions(db, article_id),
            edits=edits,
            shown=_compared(edits),
            taken_away=listing.taken_away(db, row_number(request.args.get("undo"))),
            attempts=listing.attempts_of(db, edits),
            categories=categories.find(db),
        )
    return page, error.status if error else 200


def _compared(edits: list[EditRow]) -> EditRow | None:
    """The edit whose pictures are beside each other: the one asked for, the one shown, the last."""
    whole = [row for row in edits if row.before and row.after]
    asked = [row for row in whole if str(row.edit.id) == request.args.get("edit")]
    shown = [row for row in whole if row.is_shown]
    return next(iter(asked + shown + whole), None)


def _fields(article: Article) -> dict[str, Any]:
    return {name: getattr(article, name) for name in (*TEXTS, "categoria_id", "activo")}


def _errors(error: Invalid | None) -> dict[str | None, str]:
    return {error.field: error.message} if error else {}


def _to_article(article_id: int) -> ResponseReturnValue:
    return redirect(url_for("catalog.show", article_id=article_id), 303)
