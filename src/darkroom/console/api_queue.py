"""The queue for programs: `/api/queue/dashboards`, `lanes`, `breakers`, `limits`, `crons`,
`workers` and `audit`. Reading is for administrators and viewers, acting for administrators."""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from darkroom.accounts.audit import Actor
from darkroom.console import breakers, crons, dashboards, lanes
from darkroom.console.dashboards import Answer, answer_json, read_period
from darkroom.console.snapshots import snapshots
from darkroom.console.views import audit_page, cursor, read_cursor
from darkroom.errors import Invalid
from darkroom.web.auth import admin_required, console_required, current_user
from darkroom.web.services import services

blueprint = Blueprint("api_queue", __name__, url_prefix="/api/queue")

Json = dict[str, Any]

AUDIT_PAGE = 100


@blueprint.get("/dashboards")
@console_required
def dashboard_names() -> ResponseReturnValue:
    """All dashboards with their questions."""
    found = [dashboards.load(name) for name in dashboards.names()]
    return jsonify({"dashboards": [{"name": one.name, "question": one.question} for one in found]})


@blueprint.get("/dashboards/<name>")
@console_required
def dashboard(name: str) -> ResponseReturnValue:
    """One dashboard's answer; `minutes` is how far those over history look back."""
    minutes = read_period(request.args.get("minutes"))
    return jsonify(answer_json(name, snapshots().get(name, minutes)))


@blueprint.get("/lanes")
@console_required
def all_lanes() -> ResponseReturnValue:
    """The lanes."""
    return _rows("lanes")


@blueprint.post("/lanes/<lane>/pause")
@admin_required
def pause_lane(lane: str) -> ResponseReturnValue:
    """Pause a lane: `{"reason": "…"}`."""
    with services().database.session() as db:
        lanes.pause(db, lane, _text("reason"), Actor.of(current_user()))
    return _done("lanes", lane=lane)


@blueprint.post("/lanes/<lane>/resume")
@admin_required
def resume_lane(lane: str) -> ResponseReturnValue:
    """Let a paused lane go on."""
    with services().database.session() as db:
        lanes.resume(db, lane, Actor.of(current_user()))
    return _done("lanes", lane=lane)


@blueprint.get("/breakers")
@console_required
def all_breakers() -> ResponseReturnValue:
    """The circuit breakers."""
    return _rows("breakers")


@blueprint.post("/breakers/<provider>/<operation>/isolate")
@admin_required
def isolate_breaker(provider: str, operation: str) -> ResponseReturnValue:
    """Hold a breaker open until it is reset: `{"reason": "…"}`."""
    reason, actor = _text("reason"), Actor.of(current_user())
    known = services().settings.providers.names
    with services().database.session() as db:
        breakers.isolate(db, provider, operation, reason, actor, known=known)
    return _done("breakers", provider=provider, operation=operation)


@blueprint.post("/breakers/<provider>/<operation>/reset")
@admin_required
def reset_breaker(provider: str, operation: str) -> ResponseReturnValue:
    """Close a breaker and forget its failures."""
    with services().database.session() as db:
        breakers.reset(db, provider, operation, Actor.of(current_user()))
    return _done("breakers", provider=provider, operation=operation)


@blueprint.get("/limits")
@console_required
def all_limits() -> ResponseReturnValue:
    """Request limits, paces, and calls in flight."""
    names = ("limits", "paces", "capacities")
    return jsonify({name: _records(snapshots().get(name)) for name in names})


@blueprint.get("/crons")
@console_required
def all_crons() -> ResponseReturnValue:
    """The cron jobs."""
    return _rows("crons")


@blueprint.post("/crons/<name>/run")
@admin_required
def run_cron(name: str) -> ResponseReturnValue:
    """Run a cron job at once."""
    with services().database.session() as db:
        job_id = crons.run_now(db, name, Actor.of(current_user()))
    snapshots().forget()
    return jsonify({"name": name, "job_id": job_id}), 202


@blueprint.post("/crons/<name>/<any(on, off):state>")
@admin_required
def switch_cron(name: str, state: str) -> ResponseReturnValue:
    """Switch a cron job on or off."""
    with services().database.session() as db:
        crons.switch(db, name, state == "on", Actor.of(current_user()))
    return _done("crons", name=name)


@blueprint.get("/workers")
@console_required
def all_workers() -> ResponseReturnValue:
    """The workers, what runs on them, and what their models run on."""
    names = ("workers", "running", "devices")
    return jsonify({name: _records(snapshots().get(name)) for name in names})


@blueprint.get("/audit")
@console_required
def audit() -> ResponseReturnValue:
    """What was done, newest first; `older` goes on as `before`."""
    before = read_cursor(request.args.get("before"))
    with services().database.session() as db:
        found = audit_page(db, before, AUDIT_PAGE + 1)
    names = ("id", "at", "actor", "action", "subject", "filter", "count", "undone_at")
    rows = [
        {name: dashboards.as_json(getattr(row, name)) for name in names}
        for row in found[:AUDIT_PAGE]
    ]
    older = cursor(found[AUDIT_PAGE - 1]) if len(found) > AUDIT_PAGE else None
    return jsonify({"audit": rows, "older": older})


def _rows(name: str) -> Response:
    return jsonify({name: _records(snapshots().get(name))})


def _records(answer: Answer) -> list[Json]:
    return dashboards.records_json(answer)


def _done(dashboard: str, **key: str) -> Response:
    """The row of what was acted on, as it is now."""
    snapshots().forget()
    return jsonify(dashboards.record_json(snapshots().get(dashboard), **key))


def _text(name: str) -> str:
    body = request.get_json(silent=True)
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str):
        raise Invalid(f"Send a JSON object with the text {name!r}.", name)
    return value
