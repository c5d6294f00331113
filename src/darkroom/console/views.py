"""The pages that only show: workers, limits, and the audit."""

from datetime import datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from darkroom.accounts.audit import AuditRow
from darkroom.console.snapshots import snapshots
from darkroom.errors import Invalid
from darkroom.web.auth import console_required
from darkroom.web.services import services
from darkroom.web.words import N_

workers = Blueprint("console_workers", __name__, template_folder="templates")
limits = Blueprint("console_limits", __name__, template_folder="templates")
audited = Blueprint("console_audit", __name__, template_folder="templates")

PAGE = 50
NO_PAGE = N_("This page of the list does not exist.")


@workers.get("/console/workers", endpoint="index")
@console_required
def show_workers() -> ResponseReturnValue:
    """The workers, what runs on them, and what their models run on."""
    get = snapshots().get
    return render_template(
        "console/workers.html",
        workers=get("workers"),
        running=get("running"),
        devices=get("devices"),
    )


@limits.get("/console/limits", endpoint="index")
@console_required
def show_limits() -> ResponseReturnValue:
    """Request limits, paces, calls in flight and what was spent."""
    names = ("limits", "paces", "capacities", "cost")
    answers = {name: snapshots().get(name) for name in names}
    return render_template("console/limits.html", answers=answers)


@audited.get("/console/audit", endpoint="index")
@console_required
def show_audit() -> ResponseReturnValue:
    """What was done, newest first."""
    with services().database.session() as db:
        found = audit_page(db, read_cursor(request.args.get("before")), PAGE + 1)
    older = cursor(found[PAGE - 1]) if len(found) > PAGE else None
    return render_template(
        "console/audit.html",
        rows=found[:PAGE],
        older=older,
        first_page="before" not in request.args,
    )


def audit_page(session: Session, before: tuple[datetime, int] | None, limit: int) -> list[AuditRow]:
    """The newest rows of the audit, or the newest before a place."""
    newest = select(AuditRow).order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit)
    if before is not None:
        newest = newest.where(tuple_(AuditRow.at, AuditRow.id) < before)
    return list(session.scalars(newest))


def cursor(row: AuditRow) -> str:
    """Where the page after this row begins."""
    return f"{row.at.isoformat()}_{row.id}"


def read_cursor(given: str | None) -> tuple[datetime, int] | None:
    """The place that `cursor` wrote; None at the beginning."""
    if not given:
        return None
    moment, _, number = given.rpartition("_")
    try:
        at = datetime.fromisoformat(moment)
        row_id = int(number)
    except ValueError:
        raise Invalid(NO_PAGE, "before") from None
    if at.tzinfo is None or not 0 <= row_id < 2**63:
        raise Invalid(NO_PAGE, "before")
    return at, row_id
