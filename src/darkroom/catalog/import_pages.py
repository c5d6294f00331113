"""The pages of imports: a CSV with a ZIP of pictures, and the report of what became of it."""

from collections.abc import Iterator
from pathlib import PurePath
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from darkroom.catalog import importing, sheets
from darkroom.catalog.importing import Report, Sent
from darkroom.errors import Invalid, NotFound
from darkroom.queue.models import Run
from darkroom.web import spreadsheet
from darkroom.web.auth import current_user, login_required
from darkroom.web.run_views import visible_run
from darkroom.web.services import services

pages = Blueprint(
    "catalog_import", __name__, url_prefix="/catalog/import", template_folder="templates"
)

MOST_SHOWN = 500
"""Bad rows in the page; the download holds all."""


@pages.get("")
@login_required
def ask() -> ResponseReturnValue:
    """The form that takes the files."""
    return _form_page()


@pages.post("")
@login_required
def carry_out() -> ResponseReturnValue:
    """Import what is good, and go on to the report."""
    found = services()
    sent = Sent(
        request.files.get(sheets.FIELD), request.files.get("zip"), "procesar" in request.form
    )
    try:
        run_id = importing.carry_out(
            found.settings, found.database, found.store, sent, current_user().id
        )
    except Invalid as error:
        return _form_page(error)
    return redirect(url_for("catalog_import.report", run_id=run_id), 303)


@pages.get("/template.csv")
@login_required
def template() -> Response:
    """A file to begin with. It begins with a mark by which spreadsheets know UTF-8."""
    return _saved_as(f"\ufeff{sheets.TEMPLATE}", "articulos.csv")


@pages.get("/<uuid:run_id>")
@login_required
def report(run_id: UUID) -> ResponseReturnValue:
    """What was imported, and what is wrong with the rest."""
    run, found = _report(run_id)
    return render_template(
        "catalog/report.html", run=run, report=found, problems=found.problems[:MOST_SHOWN]
    )


@pages.get("/<uuid:run_id>.csv")
@login_required
def bad_rows(run_id: UUID) -> Response:
    """The rows that were left out, for spreadsheets."""
    run, found = _report(run_id)
    return _saved_as("\ufeff" + "".join(_lines(found)), f"{PurePath(run.title).stem}-problems.csv")


def _lines(found: Report) -> Iterator[str]:
    yield spreadsheet.line(("linea", "campo", "motivo"))
    for each in found.problems:
        yield spreadsheet.line((each.line, each.field, each.message))


def _report(run_id: UUID) -> tuple[Run, Report]:
    with services().database.session() as db:
        run = visible_run(db, run_id)
    if "import" not in run.params:
        raise NotFound("This run is no import.")
    return run, Report.of(run)


def _form_page(error: Invalid | None = None) -> ResponseReturnValue:
    page = render_template(
        "catalog/import.html",
        errors={error.field: error.message} if error else {},
        max_megabytes=services().settings.max_upload_bytes // 2**20,
        most_rows=sheets.MOST_ROWS,
    )
    return page, error.status if error else 200


def _saved_as(text: str, filename: str) -> Response:
    response = Response(text, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response
