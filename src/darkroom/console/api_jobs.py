"""Jobs for programs: `/api/queue/jobs`. Reading is for administrators and viewers, acting for
administrators."""

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from darkroom.accounts.audit import Actor
from darkroom.console import actions, job_views
from darkroom.console.actions import ACTIONS, Order
from darkroom.console.filters import JobFilter
from darkroom.console.job_json import count_json, listing_json, progress_json, view_json
from darkroom.console.listing import cursor, listing, page_size
from darkroom.console.search import be_careful
from darkroom.errors import Invalid, NotFound
from darkroom.web.auth import admin_required, console_required, current_user
from darkroom.web.services import services

blueprint = Blueprint("api_jobs", __name__, url_prefix="/api/queue/jobs")

Json = dict[str, Any]

ACT_SECONDS = 20.0
OF_THE_PAGE = ("before", "limit")
KNOWN = frozenset({"filter", "all", "dry_run", "priority", "continue"})


@blueprint.get("")
@console_required
def index() -> ResponseReturnValue:
    """Jobs that fit the filters of the query string, newest first."""
    pairs = [pair for pair in request.args.items(multi=True) if pair[0] not in OF_THE_PAGE]
    wanted = JobFilter.parse(pairs)
    before, limit = cursor(request.args.get("before")), page_size(request.args.get("limit"))
    with services().database.session() as db:
        found = listing(db, wanted, before=before, limit=limit)
    return jsonify(listing_json(found))


@blueprint.get("/<int:job_id>")
@console_required
def show(job_id: int) -> ResponseReturnValue:
    """One job with its arguments, attempts and their logs, timeline, family, and why it waits."""
    with services().database.session() as db:
        be_careful(db)
        return jsonify(view_json(job_views.one(db, job_id)))


@blueprint.post("/<action>")
@admin_required
def act(action: str) -> ResponseReturnValue:
    """Do an action to all jobs that fit `filter`, or, with `dry_run`, count them."""
    if action not in ACTIONS:
        raise NotFound(f"There is no action {action!r}. There are: {', '.join(ACTIONS)}.")
    body = _body()
    order = Order(action, _wanted(body), _whole(body, "priority"))
    if _flag(body, "dry_run"):
        with services().database.session() as db:
            be_careful(db, milliseconds=int(1000 * ACT_SECONDS))
            return jsonify(count_json(actions.preview(db, order, ACT_SECONDS)) | {"action": action})
    progress = actions.carry_out(
        services().database,
        order,
        Actor.of(current_user()),
        token=_token(body),
        seconds=ACT_SECONDS,
    )
    return jsonify(progress_json(progress) | {"action": action})


@blueprint.post("/undo/<int:audit_id>")
@admin_required
def undo(audit_id: int) -> ResponseReturnValue:
    """Take an action back, as far as its jobs have not moved on."""
    with services().database.session() as db:
        count = actions.undo(db, audit_id, Actor.of(current_user()))
    return jsonify({"action": "undo", "count": count})


def _body() -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid("Send a JSON object.")
    for name in body:
        if name not in KNOWN:
            known = ", ".join(sorted(KNOWN))
            raise Invalid(f"There is no field called {name!r}. There are: {known}.", name)
    return body


def _wanted(body: Json) -> JobFilter:
    given = body.get("filter") or {}
    if not isinstance(given, dict):
        raise Invalid("The filter must be a JSON object.", "filter")
    wanted = JobFilter.from_json(given)
    if wanted.is_empty and not _flag(body, "all"):
        raise Invalid("Say which jobs: give a filter, or all as true.", "filter")
    return wanted


def _flag(body: Json, name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Invalid("True or false is wanted here.", name)
    return value


def _whole(body: Json, name: str) -> int | None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise Invalid("A whole number is wanted here.", name)
    return value


def _token(body: Json) -> str | None:
    value = body.get("continue")
    if value is not None and not isinstance(value, str):
        raise Invalid("A text is wanted here.", "continue")
    return value
