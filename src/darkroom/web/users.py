"""Users, for administrators: add one, let them in by link, grant them tokens, shut them out."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from darkroom.accounts import ledger
from darkroom.accounts import service as accounts
from darkroom.accounts.audit import Actor
from darkroom.errors import Invalid
from darkroom.web.auth import admin_required, current_user
from darkroom.web.services import services

pages = Blueprint("users", __name__, url_prefix="/users")


@pages.get("")
@admin_required
def show() -> ResponseReturnValue:
    """Everybody who has an account."""
    return _page()


@pages.post("")
@admin_required
def create() -> ResponseReturnValue:
    """Add a user; the answer shows the link that lets them in the first time."""
    try:
        with services().database.session() as db:
            user = accounts.create_user(
                db,
                name=request.form.get("name", ""),
                email=request.form.get("email", "").strip() or None,
                role=request.form.get("role", ""),
            )
            token = accounts.make_sign_in_link(db, user, datetime.now(UTC))
    except Invalid as error:
        return _page(error)
    return _page(link=_link(token), link_for=user.name)


@pages.post("/<uuid:user_uuid>/link")
@admin_required
def make_link(user_uuid: UUID) -> ResponseReturnValue:
    """Make a one-time sign-in link to hand over."""
    with services().database.session() as db:
        user = accounts.user_by_uuid(db, user_uuid)
        token = accounts.make_sign_in_link(db, user, datetime.now(UTC))
    return _page(link=_link(token), link_for=user.name)


@pages.post("/<uuid:user_uuid>/deactivate")
@admin_required
def deactivate(user_uuid: UUID) -> ResponseReturnValue:
    """Shut a user out."""
    with services().database.session() as db:
        user = accounts.user_by_uuid(db, user_uuid)
        accounts.deactivate(db, user)
    flash(gettext("%(name)s can no longer sign in.", name=user.name))
    return redirect(url_for("users.show"), 303)


@pages.post("/<uuid:user_uuid>/reactivate")
@admin_required
def reactivate(user_uuid: UUID) -> ResponseReturnValue:
    """Let a user in again."""
    with services().database.session() as db:
        user = accounts.user_by_uuid(db, user_uuid)
        accounts.reactivate(db, user)
    flash(gettext("%(name)s can sign in again.", name=user.name))
    return redirect(url_for("users.show"), 303)


@pages.post("/<uuid:user_uuid>/grant")
@admin_required
def grant(user_uuid: UUID) -> ResponseReturnValue:
    """Give a user tokens, or take some."""
    try:
        name, have = _granted(user_uuid)
    except Invalid as error:
        return _page(error)
    flash(
        ngettext(
            "%(name)s has %(num)s token now.", "%(name)s has %(num)s tokens now.", have, name=name
        )
    )
    return redirect(url_for("users.show"), 303)


def _granted(user_uuid: UUID) -> tuple[str, int]:
    """Whose tokens they are, and how many there are now."""
    with services().database.session() as db:
        user = accounts.user_by_uuid(db, user_uuid)
        have = ledger.grant(
            db,
            user.id,
            ledger.amount_of(request.form.get("tokens")),
            actor=Actor.of(current_user()),
            note=request.form.get("note", ""),
            start=services().settings.tokens.at_start,
        )
    return user.name, have


def _link(token: str) -> str:
    return url_for("sign_in.show_link", token=token, _external=True)


def _page(
    error: Invalid | None = None, *, link: str = "", link_for: str = ""
) -> ResponseReturnValue:
    start = services().settings.tokens.at_start
    with services().database.session() as db:
        people = accounts.list_users(db)
        page = render_template(
            "users.html",
            users=people,
            balances=ledger.balances(db, [user.id for user in people], start=start),
            errors={error.field: error.message} if error else {},
            given=request.form if error else {},
            link=link,
            link_for=link_for,
        )
    response = make_response(page, error.status if error else 200)
    if link:
        response.headers["Cache-Control"] = "no-store"
    return response
