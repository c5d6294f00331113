"""Tokens for programs: `/api/v41/balance`, `/api/v41/ledger`, and granting them."""

import re
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from darkroom.accounts import ledger
from darkroom.accounts import service as accounts
from darkroom.accounts.audit import Actor
from darkroom.accounts.ledger import Entry
from darkroom.errors import Invalid
from darkroom.web import charges
from darkroom.web.auth import admin_required, current_user, login_required
from darkroom.web.services import services
from darkroom.web.words import N_

Json = dict[str, Any]

blueprint = Blueprint("ledger_api", __name__, url_prefix="/api/v41")

FEW, MANY, MOST = 10, 50, 200

_NUMBER = re.compile("[0-9]{1,3}")


@blueprint.get("/balance")
@login_required
def show_balance() -> Response:
    """What the caller has, what things take, and the newest entries."""
    with services().database.session() as db:
        found = charges.read(db, FEW)
    return jsonify(
        balance=found.balance,
        prices=dict(services().settings.tokens.prices),
        entries=[_as_json(row) for row in found.entries],
    )


@blueprint.get("/ledger")
@login_required
def show_ledger() -> Response:
    """The caller's entries, newest first; `next` is the `before` of the page after."""
    limit = _limit()
    with services().database.session() as db:
        found = charges.read(db, limit)
    return jsonify(entries=[_as_json(row) for row in found.entries], next=found.older)


@blueprint.post("/users/<uuid:user_uuid>/grant")
@admin_required
def grant(user_uuid: UUID) -> ResponseReturnValue:
    """Give a user tokens, or take some: `{"tokens": 50, "note": "…"}`; 201."""
    tokens, note = _wanted()
    start, actor = services().settings.tokens.at_start, Actor.of(current_user())
    with services().database.session() as db:
        user = accounts.user_by_uuid(db, user_uuid)
        have = ledger.grant(db, user.id, tokens, actor=actor, note=note, start=start)
        [made] = ledger.entries(db, user.id, None, 1)
    return jsonify(user=str(user_uuid), balance=have, entry=_as_json(made)), 201


def _wanted() -> tuple[int, str]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid(N_("The body must be a JSON object."))
    note = body.get("note", "")
    if not isinstance(note, str):
        raise Invalid(N_("The note must be a text."), "note")
    return ledger.amount_of(body.get("tokens")), note


def _limit() -> int:
    given = request.args.get("limit") or str(MANY)
    if not (_NUMBER.fullmatch(given) and 1 <= int(given) <= MOST):
        raise Invalid(f"The limit must lie between 1 and {MOST}.", "limit")
    return int(given)


def _as_json(row: Entry) -> Json:
    said = asdict(row) | {"at": row.at.isoformat()}
    return {name: str(value) if isinstance(value, UUID) else value for name, value in said.items()}
