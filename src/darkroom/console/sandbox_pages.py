"""The page of the sandbox: does it run, what was it asked, which faults are to befall it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from darkroom.accounts.audit import Actor
from darkroom.console import sandbox
from darkroom.web.auth import admin_required, console_required, current_user
from darkroom.web.services import services

pages = Blueprint(
    "console_sandbox", __name__, url_prefix="/console/sandbox", template_folder="templates"
)


@pages.get("")
@console_required
def index() -> ResponseReturnValue:
    """How it is now."""
    settings = services().settings
    return render_template(
        "console/sandbox.html",
        view=sandbox.look(settings),
        providers=settings.providers,
        kinds={kind: gettext(word) for kind, word in sandbox.KINDS.items()},
        routes=sandbox.ROUTES,
    )


@pages.post("/faults")
@admin_required
def order() -> ResponseReturnValue:
    """Order a fault."""
    with services().database.session() as db:
        sandbox.order(db, services().settings, request.form, Actor.of(current_user()))
    return _done(gettext("The fault is set."))


@pages.post("/faults/clear")
@admin_required
def clear() -> ResponseReturnValue:
    """Clear one fault, or all."""
    id = request.form.get("id", type=int)
    with services().database.session() as db:
        sandbox.clear(db, services().settings, id, Actor.of(current_user()))
    return _done(gettext("All faults are cleared.") if id is None else gettext("It is cleared."))


def _done(said: str) -> ResponseReturnValue:
    flash(said)
    return redirect(url_for("console_sandbox.index"), 303)
