"""The console's pages of jobs: the list, one job, and what is done to many."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from darkroom.accounts.audit import Actor, AuditRow
from darkroom.console import actions, job_views, job_words
from darkroom.console.actions import ACTIONS, Order
from darkroom.console.filters import STATES, JobFilter
from darkroom.console.listing import as_query, cursor, fields_of, from_query, listing
from darkroom.console.search import COUNT_CAP, be_careful
from darkroom.errors import Invalid
from darkroom.web.auth import admin_required, console_required, current_user
from darkroom.web.services import services
from darkroom.web.words import STEPS

pages = Blueprint("console_jobs", __name__, url_prefix="/console/jobs", template_folder="templates")
pages.record_once(lambda setup: setup.app.jinja_env.filters.update(job_words.FILTERS))

ACT_SECONDS = 5.0
"""How long a request works on an action before it says how far it is."""
PREVIEW_SECONDS = 0.1
EXACT_SECONDS = 20.0
OF_THE_PAGE = ("before", "done")


@pages.get("")
@console_required
def index() -> ResponseReturnValue:
    """The jobs that fit the filter in the address, newest first."""
    try:
        wanted = JobFilter.parse(_without(OF_THE_PAGE))
        before = cursor(request.args.get("before"))
    except Invalid as error:
        return _list(given=request.args, error=error), error.status
    with services().database.session() as db:
        done = _done(db)
        found = listing(db, wanted, before=before)
    return _list(given=fields_of(wanted), wanted=wanted, found=found, before=before, done=done)


@pages.get("/<int:job_id>")
@console_required
def show(job_id: int) -> ResponseReturnValue:
    """One job: what it was asked, its attempts, its run, and why it waits."""
    with services().database.session() as db:
        be_careful(db)
        done = _done(db)
        view = job_views.one(db, job_id)
    return render_template("console/job.html", tab="jobs", view=view, job=view.row, done=done)


@pages.get("/confirm")
@admin_required
def confirm() -> ResponseReturnValue:
    """What an action would do, counted; nothing is done yet."""
    back = _local(request.args.get("back"))
    if request.args.get("scope") == "selected" and not request.args.getlist("id"):
        flash(gettext("Select jobs first, or choose all that match."))
        return redirect(back, 303)
    order = _order(_chosen(), request.args)
    exactly = "exact" in request.args
    with services().database.session() as db:
        be_careful(db, milliseconds=int(1000 * EXACT_SECONDS))
        seconds = EXACT_SECONDS if exactly else PREVIEW_SECONDS
        count = actions.preview(db, order, seconds, cap=None if exactly else COUNT_CAP)
    return render_template(
        "console/jobs_confirm.html",
        tab="jobs",
        order=order,
        query=as_query(order.wanted),
        count=count,
        undoable=ACTIONS[order.action].undoable and count.number <= actions.MOST_UNDONE,
        exact_url=f"{request.path}?{urlencode([*request.args.items(multi=True), ('exact', '1')])}",
        back=back,
    )


@pages.post("/act")
@admin_required
def act() -> ResponseReturnValue:
    """Do it, or as much of it as fits into one request."""
    order = _order(from_query(request.form.get("filter", "")), request.form)
    back = _local(request.form.get("back"))
    progress = actions.carry_out(
        services().database,
        order,
        Actor.of(current_user()),
        token=request.form.get("continue") or None,
        seconds=ACT_SECONDS,
    )
    if progress.done:
        return redirect(_with_done(back, progress.audit_id), 303)
    return render_template(
        "console/jobs_going.html",
        tab="jobs",
        order=order,
        query=as_query(order.wanted),
        progress=progress,
        back=back,
    )


@pages.post("/undo/<int:audit_id>")
@admin_required
def undo(audit_id: int) -> ResponseReturnValue:
    """Take an action back."""
    with services().database.session() as db:
        count = actions.undo(db, audit_id, Actor.of(current_user()))
    flash(ngettext("Taken back for %(num)s job.", "Taken back for %(num)s jobs.", count))
    return redirect(_local(request.form.get("back")), 303)


def _list(
    *,
    given: Mapping[str, str],
    wanted: JobFilter | None = None,
    error: Invalid | None = None,
    **values: Any,
) -> str:
    return render_template(
        "console/jobs.html",
        tab="jobs",
        given=given,
        wanted=wanted or JobFilter(),
        query=as_query(wanted) if wanted else "",
        error=error,
        states=STATES,
        lanes=tuple(services().settings.queue.lanes),
        tasks=tuple(STEPS),
        **values,
    )


def _without(names: Iterable[str]) -> list[tuple[str, str]]:
    return [pair for pair in request.args.items(multi=True) if pair[0] not in names]


def _chosen() -> JobFilter:
    """All that match, or the rows that were selected."""
    if request.args.get("scope") == "selected":
        return JobFilter.parse(("id", value) for value in request.args.getlist("id"))
    return from_query(request.args.get("filter", ""))


def _order(wanted: JobFilter, given: Mapping[str, str]) -> Order:
    action = given.get("action", "")
    return Order(action, wanted, _priority(given) if action == "reprioritise" else None)


def _priority(given: Mapping[str, str]) -> int:
    try:
        return int(given.get("priority", ""))
    except ValueError:
        raise Invalid("The priority must be a whole number.", "priority") from None


def _done(db: Any) -> AuditRow | None:
    """The action that has just led back to this page."""
    given = request.args.get("done", "")
    known = given.isascii() and given.isdecimal() and len(given) < 16
    row = db.get(AuditRow, int(given)) if known else None
    return row if row is not None and row.action.startswith("jobs.") else None


def _local(target: str | None) -> str:
    """Where to go afterwards: a page of the console, never another site."""
    if target is None or not target.startswith("/console/") or "\\" in target:
        return url_for("console_jobs.index")
    return target


def _with_done(target: str, audit_id: int) -> str:
    return f"{target}{'&' if '?' in target else '?'}done={audit_id}"
