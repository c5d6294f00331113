"""The page of the lanes: how they are doing, and pausing them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from darkroom.accounts.audit import Actor
from darkroom.console import lanes
from darkroom.console.snapshots import snapshots
from darkroom.web.auth import admin_required, console_required, current_user
from darkroom.web.services import services

pages = Blueprint(
    "console_lanes", __name__, url_prefix="/console/lanes", template_folder="templates"
)


@pages.get("")
@console_required
def index() -> ResponseReturnValue:
    """All lanes."""
    answer = snapshots().get("lanes")
    rows = [{**row, "health": lanes.health(row)} for row in answer.records]
    return render_template("console/lanes.html", lanes=rows, answer=answer)


@pages.post("/<lane>/pause")
@admin_required
def pause(lane: str) -> ResponseReturnValue:
    """Pause a lane."""
    with services().database.session() as db:
        lanes.pause(db, lane, request.form.get("reason", ""), Actor.of(current_user()))
    return _done(gettext("Lane %(lane)s is paused. What runs goes on.", lane=lane))


@pages.post("/<lane>/resume")
@admin_required
def resume(lane: str) -> ResponseReturnValue:
    """Let a lane go on."""
    with services().database.session() as db:
        lanes.resume(db, lane, Actor.of(current_user()))
    return _done(gettext("Lane %(lane)s goes on.", lane=lane))


def _done(said: str) -> ResponseReturnValue:
    snapshots().forget()
    flash(said)
    return redirect(url_for("console_lanes.index"), 303)
