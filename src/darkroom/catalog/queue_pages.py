"""The pages of edits in bulk: what they would mean, what is at work, the pause and the budget."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from darkroom.accounts.audit import Actor
from darkroom.catalog import budgets, listing, pausing, plans, queueing, reviewing
from darkroom.catalog.forms import query, row_numbers
from darkroom.catalog.selection import ArticleFilter, EditFilter, Selection
from darkroom.errors import Invalid
from darkroom.queue import runs
from darkroom.web import reasons
from darkroom.web.auth import admin_required, current_user, login_required
from darkroom.web.run_views import Card
from darkroom.web.services import services
from darkroom.web.words import N_, word

pages = Blueprint(
    "catalog_queue", __name__, url_prefix="/catalog/queue", template_folder="templates"
)

LATELY = 6
MOST_RUNS = 20
NOBODY = Selection(ids=())

LEFT = {
    "missing": N_("There is no such article"),
    "no_image": N_("It has no picture"),
    "queued": N_("It is in the queue already"),
}


@pages.get("")
@login_required
def show() -> ResponseReturnValue:
    """What is at work: how much waits, the edit that goes on, and what came of the last ones."""
    return _queue_page()


@pages.get("/new")
@login_required
def plan() -> ResponseReturnValue:
    """What editing the chosen articles would mean; nothing is queued yet."""
    if request.args.get("scope") != "all" and not request.args.getlist("id"):
        flash(gettext("Select articles first, or choose all that match."))
        return redirect(url_for("catalog.index"), 303)
    chosen = _chosen()
    with services().database.session() as db:
        found = plans.plan(db, services().settings, chosen)
        return render_template(
            "catalog/plan.html",
            plan=found,
            left={word(LEFT, why): number for why, number in found.left_out.items()},
            ids=chosen.resolve(db),
            paused=pausing.state(db).is_paused,
        )


@pages.post("/new")
@login_required
def begin() -> ResponseReturnValue:
    """Queue the articles whose numbers are sent: those that were looked at."""
    ids = row_numbers(request.form.get("ids", "").split(","), "ids")
    with services().database.session() as db:
        _, answers = queueing.add(db, ids, owner_id=current_user().id)
    added = sum(each.edit_id is not None for each in answers)
    flash(ngettext("%(num)s article queued.", "%(num)s articles queued.", added))
    return redirect(url_for("catalog_queue.show"), 303)


@pages.post("/pause")
@login_required
def pause() -> ResponseReturnValue:
    """Begin no further edit."""
    with services().database.session() as db:
        pausing.pause(db, Actor.of(current_user()))
    flash(gettext("Paused. What goes on now is finished; nothing else begins."))
    return redirect(url_for("catalog_queue.show"), 303)


@pages.post("/resume")
@login_required
def resume() -> ResponseReturnValue:
    """Go on."""
    with services().database.session() as db:
        pausing.resume(db, Actor.of(current_user()))
    flash(gettext("It goes on."))
    return redirect(url_for("catalog_queue.show"), 303)


@pages.post("/budget")
@admin_required
def set_budget() -> ResponseReturnValue:
    """Set what the catalog may spend a day; nothing given is no limit."""
    try:
        limit = budgets.checked(request.form.get(budgets.FIELD, "").strip())
    except Invalid as error:
        return _queue_page(error)
    with services().database.session() as db:
        budgets.set_limit(db, limit, Actor.of(current_user()))
    flash(gettext("Saved."))
    return redirect(url_for("catalog_queue.show"), 303)


def _queue_page(error: Invalid | None = None) -> ResponseReturnValue:
    with services().database.session() as db:
        # First of all: an edit that ends meanwhile is at work still, rather than both.
        lately = _lately(db)
        why = listing.why_waiting(db)
        page = render_template(
            "catalog/queue.html",
            stats=queueing.status(db),
            now=listing.going_on(db),
            why=why,
            why_words=reasons.why(why.reason, why.waits_on, why.why) if why else "",
            paused=pausing.state(db),
            seconds=plans.plan(db, services().settings, NOBODY).seconds,
            money=budgets.state(db),
            cards=_open_runs(db),
            lately=lately,
            given=request.form,
            errors={error.field: error.message} if error else {},
        )
    return page, error.status if error else 200


def _chosen() -> Selection:
    """All that match, or those that were selected."""
    if request.args.get("scope") == "all":
        return Selection(filter=ArticleFilter.read(query(request.args.get("filter"))))
    return Selection(ids=tuple(row_numbers(request.args.getlist("id"), "id")))


def _open_runs(db: Session) -> list[Card]:
    """The catalog's runs that go on or wait, newest first."""
    found = [
        run
        for status in ("running", "pending")
        for run in runs.page(db, pipeline=queueing.PIPELINE, status=status, limit=MOST_RUNS)
    ]
    return [Card(run, url_for("catalog_review.history", run_id=run.id)) for run in found]


def _lately(db: Session) -> list[listing.EditRow]:
    done = reviewing.page(db, EditFilter(estado="completed"), limit=LATELY)
    return listing.edit_rows(db, done)
