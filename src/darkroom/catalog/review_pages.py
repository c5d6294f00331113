"""The pages of finished edits: judged one after the other or in bulk, and their history."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from darkroom.accounts.audit import Actor
from darkroom.catalog import listing, reviewing
from darkroom.catalog.forms import query, row_number, row_numbers
from darkroom.catalog.reviewing import Reviewed
from darkroom.catalog.selection import STATES, EditFilter, EditSelection
from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.web.auth import current_user, login_required, safe_next
from darkroom.web.services import services
from darkroom.web.words import N_, word

pages = Blueprint("catalog_review", __name__, url_prefix="/catalog", template_folder="templates")

PAGE = 24
HISTORY_PAGE = 50
FIELDS = ("q", "estado", "veredicto", "run_id")

VERBS: Mapping[str, Callable[[Session, EditSelection, Actor], Reviewed]] = {
    "approve": reviewing.approve,
    "reject": reviewing.reject,
    "roll-back": reviewing.roll_back_edits,
}
ACTIONS = {
    "approve": N_("Approve"),
    "reject": N_("Reject"),
    "roll-back": N_("Roll back"),
    "retry": N_("Retry"),
}
TAKES_AWAY = ("reject", "roll-back")
EXPLAINED = {
    "approve": N_("The new pictures stay, and are marked as approved."),
    "reject": N_("The articles show their earlier pictures again; the new ones stay as versions."),
    "roll-back": N_("The articles show their earlier pictures again, without a verdict."),
    "retry": N_("What failed goes into the queue again, and costs again."),
}
LEFT = {
    "missing": N_("There is no such edit (any more)"),
    "not_done": N_("The edit is not finished"),
    "not_failed": N_("The edit has not failed"),
    "already": N_("It is so already"),
    "gone": N_("The picture was removed"),
    "queued": N_("The article is in the queue"),
    "not_shown": N_("The article shows another picture by now"),
    "no_earlier": N_("There is no earlier picture"),
}


@pages.get("/review")
@login_required
def index() -> ResponseReturnValue:
    """Before and after of finished edits; those that nobody has judged, unless asked otherwise."""
    given = {"veredicto": "undecided", **_given(), "estado": "completed"}
    return _list_page("catalog/review.html", given, PAGE)


@pages.get("/history")
@login_required
def history() -> ResponseReturnValue:
    """All edits, newest first."""
    return _list_page("catalog/history.html", _given(), HISTORY_PAGE)


@pages.get("/review/confirm")
@login_required
def confirm() -> ResponseReturnValue:
    """What an action would do to the chosen edits; nothing is done yet."""
    action, back = _action(request.args.get("action", "")), _local(request.args.get("back"))
    if request.args.get("scope") != "all" and not request.args.getlist("id"):
        flash(gettext("Select pictures first, or choose all that match."))
        return redirect(back, 303)
    with services().database.session() as db:
        ids = _chosen().resolve(db)
        found = _tried(db, action, ids)
    return render_template(
        "catalog/review_confirm.html",
        action=action,
        label=word(ACTIONS, action),
        explained=word(EXPLAINED, action),
        ids=ids,
        count=len(found.changed),
        left=Counter(word(LEFT, reason) for reason in found.left.values()),
        back=back,
    )


@pages.post("/review/<any(approve, reject, 'roll-back', retry):action>")
@login_required
def act(action: str) -> ResponseReturnValue:
    """Do it to the edits whose numbers are sent: those that were confirmed."""
    ids = row_numbers(request.form.get("ids", "").split(","), "ids")
    with services().database.session() as db:
        found = _carried_out(db, action, ids)
    flash(_told(action, found))
    return redirect(_local(request.form.get("back")), 303)


@pages.post("/review/<int:edit_id>/<any(approve, reject, 'roll-back', retry):action>")
@login_required
def act_on_one(edit_id: int, action: str) -> ResponseReturnValue:
    """Do it to one edit; `Conflict` says why when that is not possible."""
    with services().database.session() as db:
        edit = listing.edit(db, edit_id)
        article_id, version_id = edit.articulo_id, edit.version_procesada_id
        found = _carried_out(db, action, [edit_id])
    if found.left:
        raise Conflict(word(LEFT, found.left[edit_id]))
    article = url_for("catalog.show", article_id=article_id)
    back = safe_next(request.form.get("back") or article)
    if action in TAKES_AWAY:
        return redirect(_with_undo(back, version_id), 303)
    flash(_told(action, found))
    return redirect(back, 303)


def _list_page(template: str, given: dict[str, str], size: int) -> ResponseReturnValue:
    error: Invalid | None = None
    wanted = EditFilter()
    try:
        wanted = EditFilter.read(given)
    except Invalid as found:
        error = found
    before = row_number(request.args.get("before"))
    with services().database.session() as db:
        edits = reviewing.page(db, wanted, before=before, limit=size + 1)
        page = render_template(
            template,
            rows=listing.edit_rows(db, edits[:size]),
            count=reviewing.count(db, wanted),
            older=edits[size - 1].id if len(edits) > size else None,
            first_page=before is None,
            given=given,
            query=urlencode(given),
            error=error,
            taken_away=listing.taken_away(db, row_number(request.args.get("undo"))),
            states=STATES,
        )
    return page, error.status if error else 200


def _carried_out(db: Session, action: str, ids: Sequence[int]) -> Reviewed:
    user = current_user()
    chosen, actor = EditSelection(ids=tuple(ids)), Actor.of(user)
    if action == "retry":
        return reviewing.retry(db, chosen, actor, user.id).reviewed
    return VERBS[action](db, chosen, actor)


def _tried(db: Session, action: str, ids: Sequence[int]) -> Reviewed:
    """What the action would do: it is done, and taken back."""
    with db.begin_nested() as tried:
        found = _carried_out(db, action, ids)
        tried.rollback()
    return found


def _told(action: str, found: Reviewed) -> str:
    done = len(found.changed)
    said = {
        "approve": ngettext("%(num)s picture approved.", "%(num)s pictures approved.", done),
        "reject": ngettext("%(num)s picture rejected.", "%(num)s pictures rejected.", done),
        "roll-back": ngettext(
            "%(num)s article rolled back.", "%(num)s articles rolled back.", done
        ),
        "retry": ngettext("%(num)s edit queued again.", "%(num)s edits queued again.", done),
    }
    left = ngettext("%(num)s was left.", "%(num)s were left.", len(found.left))
    return f"{said[action]} {left}" if found.left else said[action]


def _chosen() -> EditSelection:
    """All that match, or those that were selected."""
    if request.args.get("scope") == "all":
        return EditSelection(filter=EditFilter.read(query(request.args.get("filter"))))
    return EditSelection(ids=tuple(row_numbers(request.args.getlist("id"), "id")))


def _given() -> dict[str, str]:
    return {name: request.args[name] for name in FIELDS if request.args.get(name)}


def _action(name: str) -> str:
    if name not in ACTIONS:
        raise NotFound("There is no such action.", "action")
    return name


def _with_undo(target: str, version_id: int | None) -> str:
    """The address with the picture that its page offers to show again."""
    return f"{target}{'&' if '?' in target else '?'}undo={version_id}"


def _local(target: str | None) -> str:
    """Where to go afterwards: a page of ours."""
    return safe_next(target) if target else url_for("catalog_review.index")
