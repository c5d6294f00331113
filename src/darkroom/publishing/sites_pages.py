"""The pages of sites, for administrators: who we are there, and which fields their posts have."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from darkroom.accounts.audit import Actor
from darkroom.errors import DarkroomError, Invalid, NotFound
from darkroom.publishing import connection, forms, post_types, sites
from darkroom.publishing.connection import Connection, Shown
from darkroom.publishing.fields import PostType
from darkroom.publishing.models import WordPressSite
from darkroom.settings import WordPressSettings
from darkroom.web.auth import admin_required, current_user
from darkroom.web.services import services
from darkroom.web.words import N_

pages = Blueprint(
    "publishing_sites", __name__, url_prefix="/publish/sites", template_folder="templates"
)

Json = dict[str, Any]

SETTINGS_SITE = 0
"""What addresses call the site of the settings."""
TEXTS = ("name", "base_url", "username", "way", "endpoint")
STATUSES = {
    "publish": N_("Published at once"),
    "draft": N_("A draft"),
    "pending": N_("Waiting for approval"),
    "private": N_("Private"),
}


@pages.get("")
@admin_required
def index() -> ResponseReturnValue:
    """All sites, and the form of one to be added."""
    return _index_page()


@pages.post("")
@admin_required
def add() -> ResponseReturnValue:
    """Add a site."""
    try:
        with services().database.session() as db:
            actor = Actor.of(current_user())
            site_id = sites.add(db, services().settings, _sent(), actor)
    except Invalid as error:
        return _index_page(request.form, error)
    flash(gettext("Added. Test the connection, and set up the fields of its posts."))
    return _to_site(site_id)


@pages.get("/<int:site_id>")
@admin_required
def show(site_id: int) -> ResponseReturnValue:
    """A site: its settings, and its types of posts."""
    return _site_page(site_id)


@pages.post("/<int:site_id>")
@admin_required
def change(site_id: int) -> ResponseReturnValue:
    """Change a site; a password that is not given stays as it is."""
    try:
        with services().database.session() as db:
            sites.change(db, services().settings, site_id, _sent(), Actor.of(current_user()))
    except NotFound:
        raise
    except Invalid as error:
        return _site_page(site_id, request.form, error)
    flash(gettext("Saved."))
    return _to_site(site_id)


@pages.post("/<int:site_id>/remove")
@admin_required
def remove(site_id: int) -> ResponseReturnValue:
    """Remove a site and forget what it was entered with."""
    with services().database.session() as db:
        sites.remove(db, site_id, Actor.of(current_user()))
    flash(gettext("Removed."))
    return redirect(url_for("publishing_sites.index"), 303)


@pages.post("/<int:site_id>/test")
@admin_required
def test(site_id: int) -> ResponseReturnValue:
    """Whether the site lets us in, and its types of posts."""
    try:
        login = _login(site_id)
    except NotFound:
        raise
    except DarkroomError as error:
        return _site_page(site_id, tested=Connection(False, error.message))
    return _site_page(site_id, tested=connection.tested(login))


@pages.get("/<int:site_id>/types/new")
@admin_required
def new_type(site_id: int) -> ResponseReturnValue:
    """The form of a type to be set up; `?type=` names it, `?read=1` fills it in from the site."""
    endpoint = request.args.get("type", "")
    shown = _shown(site_id, endpoint)
    proposed = shown.mapped(endpoint) if shown else PostType(endpoint)
    return _type_page(site_id, None, _fields(proposed), shown=shown)


@pages.post("/<int:site_id>/types/new")
@admin_required
def add_type(site_id: int) -> ResponseReturnValue:
    """Set a type up."""
    return _put_type(site_id, None, request.form.get("endpoint", "").strip())


@pages.get("/<int:site_id>/types/<rest_base>")
@admin_required
def edit_type(site_id: int, rest_base: str) -> ResponseReturnValue:
    """The form of a type that is set up; `?read=1` tells which fields the site shows."""
    with services().database.session() as db:
        found = post_types.of(db, _id(site_id), rest_base)
    return _type_page(site_id, rest_base, _fields(found), shown=_shown(site_id, rest_base))


@pages.post("/<int:site_id>/types/<rest_base>")
@admin_required
def change_type(site_id: int, rest_base: str) -> ResponseReturnValue:
    """Change the fields of a type."""
    return _put_type(site_id, rest_base, rest_base)


@pages.post("/<int:site_id>/types/<rest_base>/remove")
@admin_required
def remove_type(site_id: int, rest_base: str) -> ResponseReturnValue:
    """Forget how a type is set up."""
    with services().database.session() as db:
        post_types.remove(db, _id(site_id), rest_base)
    flash(gettext("Removed."))
    return _to_site(site_id)


def _login(site_id: int) -> WordPressSettings:
    with services().database.session() as db:
        return sites.opened(db, services().settings, _id(site_id)).login


def _shown(site_id: int, endpoint: str) -> Shown | None:
    """The fields of a type on the site, where the page is asked to read them."""
    if "read" not in request.args:
        return None
    try:
        return connection.shown(_login(site_id), _checked(endpoint))
    except NotFound:
        raise
    except DarkroomError as error:
        return Shown(problem=error.message)


def _put_type(site_id: int, known: str | None, endpoint: str) -> ResponseReturnValue:
    try:
        with services().database.session() as db:
            _existing(db, site_id)
            post_types.put(db, _id(site_id), _checked(endpoint), _type_sent())
    except NotFound:
        raise
    except Invalid as error:
        return _type_page(site_id, known, request.form, error)
    flash(gettext("Saved."))
    return _to_site(site_id)


def _checked(endpoint: str) -> str:
    found = forms.endpoint({"endpoint": endpoint})
    if found is None:
        raise Invalid("Name the type of post as its address has it.", "endpoint")
    return found


def _sent() -> Json:
    """What the form says of a site; an empty password is none."""
    given = {name: request.form[name] for name in TEXTS if name in request.form}
    secret = {"secret": request.form["secret"]} if request.form.get("secret") else {}
    return {**given, **secret, **({"is_default": True} if "is_default" in request.form else {})}


def _type_sent() -> Json:
    """What the form says of a type, as `post_types` takes it."""
    form = request.form
    return {
        "fields": re.findall(r"[^\s,]+", form.get("fields", "")),
        "gallery": form.get("gallery", "").strip() or None,
        "title_from": form.get("title_from", "").strip(),
        "texts": forms.pairs(form.get("texts", ""), "texts"),
        "status": form.get("status", ""),
    }


def _fields(type: PostType) -> Json:
    """A type as its form shows it."""
    return {
        "endpoint": type.endpoint,
        "fields": ", ".join(type.fields),
        "gallery": type.gallery or "",
        "title_from": type.title_from,
        "texts": "\n".join(f"{name} = {field}" for name, field in type.texts.items()),
        "status": type.status,
    }


def _index_page(
    given: Mapping[str, Any] | None = None, error: Invalid | None = None
) -> ResponseReturnValue:
    settings = services().settings
    with services().database.session() as db:
        page = render_template(
            "publishing/sites.html",
            sites=sites.listing(db),
            own=settings.providers.wordpress,
            given=given or {"way": "application", "endpoint": settings.publishing.endpoint},
            errors=_errors(error),
        )
    return page, error.status if error else 200


def _site_page(
    site_id: int,
    given: Mapping[str, Any] | None = None,
    error: Invalid | None = None,
    tested: Connection | None = None,
) -> ResponseReturnValue:
    with services().database.session() as db:
        row = _existing(db, site_id)
        page = render_template(
            "publishing/site.html",
            site_id=site_id,
            site=row,
            own=services().settings.providers.wordpress,
            given=given or ({name: getattr(row, name) for name in TEXTS} if row else {}),
            errors=_errors(error),
            types=post_types.listing(db, _id(site_id)),
            tested=tested,
        )
    return page, error.status if error else 200


def _type_page(
    site_id: int,
    endpoint: str | None,
    given: Mapping[str, Any],
    error: Invalid | None = None,
    shown: Shown | None = None,
) -> ResponseReturnValue:
    with services().database.session() as db:
        row = _existing(db, site_id)
        page = render_template(
            "publishing/type.html",
            site_id=site_id,
            site=row.name if row else sites.OWN,
            endpoint=endpoint,
            given=given,
            errors=_errors(error),
            shown=shown,
            statuses={name: gettext(text) for name, text in STATUSES.items()},
        )
    return page, error.status if error else 200


def _existing(db: Session, site_id: int) -> WordPressSite | None:
    return sites.of(db, site_id) if site_id != SETTINGS_SITE else None


def _id(site_id: int) -> int | None:
    return None if site_id == SETTINGS_SITE else site_id


def _errors(error: Invalid | None) -> dict[str | None, str]:
    return {error.field: error.message} if error else {}


def _to_site(site_id: int) -> ResponseReturnValue:
    return redirect(url_for("publishing_sites.show", site_id=site_id), 303)
