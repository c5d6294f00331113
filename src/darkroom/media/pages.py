"""The studio: what it offers, what was made, and one request with its progress and its result."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.errors import NotFound
from darkroom.media import requests
from darkroom.media.answering import first, link
from darkroom.media.models import MediaRequest
from darkroom.media.requests import Found
from darkroom.media.tools import ICONS, SERVICES, TOOLS
from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.web.auth import login_required, scope
from darkroom.web.paging import last_seen, mark
from darkroom.web.run_views import Card, run_note
from darkroom.web.services import services

pages = Blueprint("studio", __name__, url_prefix="/studio", template_folder="templates")

PAGE, LATELY = 24, 6


@pages.record_once
def _offer_to_templates(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals.update(studio_tools=TOOLS, first_file=first)
    state.app.jinja_env.filters.update(file_link=link, service_icon=ICONS.get)


@pages.get("")
@login_required
def index() -> ResponseReturnValue:
    """The tools, and what was made last."""
    with services().database.session() as db:
        return render_template(
            "media/index.html", found=requests.page(db, scope(), limit=LATELY), runs=_runs(db)
        )


@pages.get("/history")
@login_required
def history() -> ResponseReturnValue:
    """What was asked for, newest first; the filter is in the address."""
    chosen = request.args.get("service") or None
    if chosen not in (None, *SERVICES):
        raise NotFound("There is no such service.")
    with services().database.session() as db:
        found = requests.page(db, scope(), service=chosen, before=last_seen(), limit=PAGE + 1)
        return render_template(
            "media/history.html",
            found=found[:PAGE],
            chosen=chosen,
            older=mark(found[PAGE - 1].row) if len(found) > PAGE else None,
            first_page="before" not in request.args,
        )


@pages.get("/<uuid:request_id>")
@login_required
def show(request_id: UUID) -> ResponseReturnValue:
    """One request: how far it is, or what came of it."""
    with services().database.session() as db:
        found = requests.of(db, scope(), request_id)
        run = None if found.row.run_id is None else db.get(Run, found.row.run_id)
        steps = [] if run is None else runs.steps_of(db, run.id)
        note = "" if run is None else run_note(run, steps)
    own = f"media/show_{found.row.service}.html"
    return render_template(
        [own, "media/show.html"], found=found, row=found.row, run=run, steps=steps, note=note
    )


@pages.post("/<uuid:request_id>/delete")
@login_required
def delete(request_id: UUID) -> ResponseReturnValue:
    """Delete a request with its files."""
    with services().database.session() as db:
        requests.delete(db, scope(), request_id)
    flash(gettext("Deleted, files and all."))
    return redirect(url_for("studio.history"), 303)


def cards(db: Session, found: Sequence[Run]) -> list[Card]:
    """Runs of the media services with what was made, and where it is."""
    wanted = select(MediaRequest).where(MediaRequest.id.in_(map(requests.id_of, found)))
    rows = {row.id: row for row in db.scalars(wanted)}
    files = requests.files_of(db, list(rows))
    return [_card(run, rows.get(requests.id_of(run)), files) for run in found]


def _card(run: Run, row: MediaRequest | None, files: requests.FilesById) -> Card:
    if row is None:
        return Card(run)
    picture = first(Found(row, files[row.id]), "thumbnail")
    url = url_for("studio.show", request_id=row.id)
    return Card(run, url, None if picture is None else link(picture), row.engine or "")


def _runs(db: Session) -> list[Card]:
    """The reader's runs of these services that go on."""
    open_runs = select(Run).where(Run.pipeline.in_(SERVICES), Run.finished_at.is_(None))
    if (owner_id := scope()) is not None:
        open_runs = open_runs.where(Run.owner_id == owner_id)
    return cards(db, db.scalars(open_runs.order_by(Run.created_at.desc()).limit(LATELY)).all())
