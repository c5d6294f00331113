"""`/api/media`: requests of all media services, found again, polled, deleted."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.media import requests
from darkroom.media.answering import as_json
from darkroom.queue import control
from darkroom.queue.models import Run
from darkroom.web.auth import login_required, scope
from darkroom.web.paging import last_seen, mark
from darkroom.web.services import services
from darkroom.web.waiting import wait_for_end

Json = dict[str, Any]

PAGE, MOST = 24, 100

blueprint = Blueprint("media_api", __name__, url_prefix="/api/media")


@blueprint.get("")
@login_required
def index() -> Response:
    """The caller's requests, newest first (`?service=…&limit=24&before=…`, as `next` says)."""
    limit = _limit()
    with services().database.session() as session:
        found = requests.page(
            session,
            scope(),
            service=request.args.get("service"),
            before=last_seen(),
            limit=limit + 1,
        )
        listed = [as_json(each, None) for each in found[:limit]]
    following = mark(found[limit - 1].row) if len(found) > limit else None
    return jsonify({"requests": listed, "next": following})


@blueprint.get("/<uuid:request_id>")
@login_required
def show(request_id: UUID) -> Response:
    """One request: how far it is, and what came of it. Waits as `Prefer: wait=N` asks."""
    with services().database.session() as session:
        run_id = requests.of(session, scope(), request_id).row.run_id
    if run_id is not None:
        wait_for_end(run_id)
    with services().database.session() as session:
        found = requests.of(session, scope(), request_id)
        run = None if run_id is None else session.get(Run, run_id)
        return jsonify(as_json(found, run))


@blueprint.post("/<uuid:request_id>/cancel")
@login_required
def cancel(request_id: UUID) -> ResponseReturnValue:
    """Stop working on it; its files stay until it is deleted."""
    with services().database.session() as session:
        run_id = requests.of(session, scope(), request_id).row.run_id
        if run_id is not None:
            control.cancel(session, run_id)
    return show(request_id), 202


@blueprint.delete("/<uuid:request_id>")
@login_required
def delete(request_id: UUID) -> ResponseReturnValue:
    """Delete it, files and all."""
    with services().database.session() as session:
        requests.delete(session, scope(), request_id)
    return "", 204


def _limit() -> int:
    given = request.args.get("limit", str(PAGE))
    if not given.isdecimal() or not 1 <= int(given) <= MOST:
        raise Invalid(f"limit must be a whole number from 1 to {MOST}.", "limit")
    return int(given)
