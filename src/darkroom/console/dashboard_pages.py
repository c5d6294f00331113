"""The dashboards as pages: all of them, and one with its answer, its chart and its SQL."""

from collections import Counter

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from darkroom.console import dashboards, drawings
from darkroom.console.dashboards import PERIODS, read_period
from darkroom.console.snapshots import snapshots
from darkroom.console.words import GROUPS
from darkroom.web.auth import console_required

pages = Blueprint(
    "console_dashboards", __name__, url_prefix="/console/dashboards", template_folder="templates"
)

SHOWN = 200
"""Rows of a page; the API and the command line give all."""


@pages.get("")
@console_required
def index() -> ResponseReturnValue:
    """All dashboards by what they are about."""
    groups = [(gettext(title), names) for title, names in GROUPS]
    return render_template("console/dashboards.html", groups=groups)


@pages.get("/<name>")
@console_required
def show(name: str) -> ResponseReturnValue:
    """One dashboard."""
    dashboard = dashboards.load(name)
    minutes = read_period(request.args.get("minutes"))
    answer = snapshots().get(name, minutes)
    return render_template(
        "console/dashboard.html",
        dashboard=dashboard,
        answer=answer.first(SHOWN),
        tally=Counter(row["reason"] for row in answer.records if "reason" in row).most_common(),
        drawing=drawings.draw(name, answer),
        periods=PERIODS,
        minutes=minutes,
    )
