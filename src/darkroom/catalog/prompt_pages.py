"""The pages of categories and the templates of their prompts, which can be tried out first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from darkroom.accounts.audit import Actor
from darkroom.catalog import articles, categories, listing, prompts
from darkroom.catalog.forms import row_number
from darkroom.catalog.models import Category
from darkroom.catalog.selection import ArticleFilter
from darkroom.errors import Invalid
from darkroom.web.auth import current_user, login_required
from darkroom.web.services import services

pages = Blueprint(
    "catalog_prompts", __name__, url_prefix="/catalog/prompts", template_folder="templates"
)

MOST_SAMPLES = 100
"""Articles offered to try a template on."""
TRIALS = 6


@dataclass(frozen=True)
class Place:
    """What a form is about: a category, a new one (`category` is None), or the general template."""

    name: str
    category: Category | None = None

    @property
    def is_general(self) -> bool:
        """Whether it is the template of articles whose category has none of its own."""
        return self.name == GENERAL


GENERAL, NEW = "general", "new"


@pages.get("")
@login_required
def index() -> ResponseReturnValue:
    """The categories, and the general template."""
    with services().database.session() as db:
        return render_template(
            "catalog/prompts.html",
            rows=categories.listed(db),
            general=categories.general(db),
            trials=listing.trials(db, TRIALS),
        )


@pages.get("/<place>")
@login_required
def show(place: str) -> ResponseReturnValue:
    """A template and its form; `?trial=` shows one that was tried out."""
    with services().database.session() as db:
        found = _place(db, place)
        given = _kept(db, found) | _tried(db)
        return _form_page(db, found, given)


@pages.post("/<place>")
@login_required
def save(place: str) -> ResponseReturnValue:
    """Keep the template, and the name of a category."""
    try:
        with services().database.session() as db:
            _save(db, _place(db, place))
    except Invalid as error:
        return _again(place, error)
    flash(gettext("Saved. It holds for edits that begin from now on."))
    return redirect(url_for("catalog_prompts.index"), 303)


@pages.post("/<place>/preview")
@login_required
def preview(place: str) -> ResponseReturnValue:
    """The prompt that an article would get; nothing is kept."""
    try:
        with services().database.session() as db:
            prompt = categories.preview(db, _sample(), request.form.get("prompt_template", ""))
            return _form_page(db, _place(db, place), request.form, prompt=prompt)
    except Invalid as error:
        return _again(place, error)


@pages.post("/<place>/try")
@login_required
def try_out(place: str) -> ResponseReturnValue:
    """Have one picture made by the template, to look at."""
    template = request.form.get("prompt_template", "")
    try:
        with services().database.session() as db:
            categories.try_out(db, _sample(), template, current_user().id)
            [made] = listing.trials(db, 1)
    except Invalid as error:
        return _again(place, error)
    target = url_for("catalog_prompts.show", place=place, trial=made.edit.id)
    return redirect(f"{target}#trials", 303)


@pages.post("/<int:category_id>/delete")
@login_required
def delete(category_id: int) -> ResponseReturnValue:
    """Delete a category that no article is in."""
    with services().database.session() as db:
        categories.delete(db, category_id)
    flash(gettext("Deleted."))
    return redirect(url_for("catalog_prompts.index"), 303)


def _place(db: Session, name: str) -> Place:
    if name in (GENERAL, NEW):
        return Place(name)
    return Place(name, categories.get(db, row_number(name) or 0))


def _save(db: Session, place: Place) -> None:
    template = request.form.get("prompt_template", "").strip()
    if place.is_general:
        categories.set_general(db, template, Actor.of(current_user()))
        return
    given = {"nombre": request.form.get("nombre", ""), "prompt_template": template or None}
    if place.category is None:
        categories.create(db, given)
    else:
        categories.change(db, place.category.id, given)


def _again(place: str, error: Invalid) -> ResponseReturnValue:
    with services().database.session() as db:
        return _form_page(db, _place(db, place), request.form, error)


def _form_page(
    db: Session,
    place: Place,
    given: Mapping[str, Any],
    error: Invalid | None = None,
    prompt: str | None = None,
) -> ResponseReturnValue:
    wanted = ArticleFilter(categoria_id=place.category.id if place.category else None)
    page = render_template(
        "catalog/prompt.html",
        place=place,
        given=given,
        errors={error.field: error.message} if error else {},
        prompt=prompt,
        general=categories.general(db),
        places=prompts.PLACES,
        samples=articles.page(db, wanted, 0, MOST_SAMPLES),
        trials=listing.trials(db, TRIALS),
    )
    return page, error.status if error else 200


def _kept(db: Session, place: Place) -> dict[str, Any]:
    if place.is_general:
        return {"prompt_template": categories.general(db)}
    if place.category is None:
        return {}
    return {
        "nombre": place.category.nombre,
        "prompt_template": place.category.prompt_template or "",
    }


def _tried(db: Session) -> dict[str, Any]:
    """The template and the article of a trial that the address names."""
    number = row_number(request.args.get("trial"))
    if number is None:
        return {}
    edit = listing.edit(db, number)
    return {"prompt_template": edit.prompt_template, "articulo_id": edit.articulo_id}


def _sample() -> int:
    number = row_number(request.form.get("articulo_id"))
    if number is None:
        raise Invalid("Choose an article to try it on.", "articulo_id")
    return number
