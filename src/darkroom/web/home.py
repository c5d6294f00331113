"""Home: what is running, what needs the reader, and what they can begin."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from darkroom.counting import pages as counting
from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.web.auth import login_required, scope
from darkroom.web.cards import cards
from darkroom.web.services import services

pages = Blueprint("home", __name__)

SHOWN = 5


@pages.get("/")
@login_required
def show() -> ResponseReturnValue:
    """The first page after signing in."""
    with services().database.session() as db:
        locate = counting.runs_to_locate(db, scope(), SHOWN)
        going = [run for run in _with_status(db, "running", "pending") if run not in locate]
        failed = _with_status(db, "failed")
        review = counting.runs_to_review(db, scope(), SHOWN)
        done = [run for run in _with_status(db, "completed") if run not in review]
        return render_template(
            "home.html",
            going=cards(db, going),
            failed=cards(db, failed),
            locate=counting.cards(db, locate),
            review=counting.cards(db, review),
            done=cards(db, done),
        )


def _with_status(db: Session, *statuses: str) -> list[Run]:
    found = [
        run
        for status in statuses
        for run in runs.page(db, owner_id=scope(), status=status, limit=SHOWN)
    ]
    return found[:SHOWN]
