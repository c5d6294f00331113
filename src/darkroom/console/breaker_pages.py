"""The page of the circuit breakers: their state, isolating and resetting them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from darkroom.accounts.audit import Actor
from darkroom.console import breakers
from darkroom.console.snapshots import snapshots
from darkroom.web.auth import admin_required, console_required, current_user
from darkroom.web.services import services

pages = Blueprint(
    "console_breakers", __name__, url_prefix="/console/breakers", template_folder="templates"
)


@pages.get("")
@console_required
def index() -> ResponseReturnValue:
    """All breakers that ever heard of a failure."""
    return render_template("console/breakers.html", answer=snapshots().get("breakers"))


@pages.post("/isolate")
@admin_required
def isolate() -> ResponseReturnValue:
    """Hold one open until it is reset."""
    provider, operation = _named()
    reason, actor = request.form.get("reason", ""), Actor.of(current_user())
    known = services().settings.providers.names
    with services().database.session() as db:
        breakers.isolate(db, provider, operation, reason, actor, known=known)
    name = f"{provider} {operation}"
    return _done(gettext("Breaker %(name)s is isolated until it is reset.", name=name))


@pages.post("/reset")
@admin_required
def reset() -> ResponseReturnValue:
    """Close one and forget its failures."""
    provider, operation = _named()
    with services().database.session() as db:
        breakers.reset(db, provider, operation, Actor.of(current_user()))
    name = f"{provider} {operation}"
    return _done(gettext("Breaker %(name)s is closed; whoever waited for it is called.", name=name))


def _named() -> tuple[str, str]:
    return request.form.get("provider", "").strip(), request.form.get("operation", "").strip()


def _done(said: str) -> ResponseReturnValue:
    snapshots().forget()
    flash(said)
    return redirect(url_for("console_breakers.index"), 303)
