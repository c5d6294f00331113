"""The page of the cron jobs: how they are doing, running one now, switching one off."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from darkroom.accounts.audit import Actor
from darkroom.console import crons
from darkroom.console.snapshots import snapshots
from darkroom.web.auth import admin_required, console_required, current_user
from darkroom.web.services import services

pages = Blueprint(
    "console_crons", __name__, url_prefix="/console/crons", template_folder="templates"
)


@pages.get("")
@console_required
def index() -> ResponseReturnValue:
    """All cron jobs."""
    return render_template("console/crons.html", answer=snapshots().get("crons"))


@pages.post("/<name>/run")
@admin_required
def run_now(name: str) -> ResponseReturnValue:
    """Run one at once."""
    with services().database.session() as db:
        crons.run_now(db, name, Actor.of(current_user()))
    return _done(gettext("%(name)s is in the queue.", name=name))


@pages.post("/<name>/on")
@admin_required
def switch_on(name: str) -> ResponseReturnValue:
    """Switch one on."""
    with services().database.session() as db:
        crons.switch(db, name, True, Actor.of(current_user()))
    return _done(gettext("%(name)s is on.", name=name))


@pages.post("/<name>/off")
@admin_required
def switch_off(name: str) -> ResponseReturnValue:
    """Switch one off."""
    with services().database.session() as db:
        crons.switch(db, name, False, Actor.of(current_user()))
    return _done(gettext("%(name)s is off. A run that goes on ends as usual.", name=name))


def _done(said: str) -> ResponseReturnValue:
    snapshots().forget()
    flash(said)
    return redirect(url_for("console_crons.index"), 303)
