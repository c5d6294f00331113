"""The JSON API of webhooks: `/api/webhooks`."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid
from darkroom.signals import service
from darkroom.signals.messages import message_id
from darkroom.signals.models import EVENTS, Webhook
from darkroom.signals.service import DeliveryView
from darkroom.web.auth import login_required
from darkroom.web.services import services
from darkroom.web.webhooks import create_webhook, owner, page_of_deliveries
from darkroom.web.words import N_

Json = dict[str, Any]

blueprint = Blueprint("webhooks_api", __name__, url_prefix="/api/webhooks")


@blueprint.get("")
@login_required
def index() -> Response:
    """The caller's webhooks; everybody's for administrators."""
    with services().database.session() as db:
        found = service.list_webhooks(db, owner())
    return jsonify(webhooks=[_as_json(webhook) for webhook in found])


@blueprint.post("")
@login_required
def create() -> ResponseReturnValue:
    """Make one from `url`, `events` (all) and `all_runs`: 201. Only here the secret is shown."""
    body = _body()
    url, all_runs = body.get("url"), _flag(body, "all_runs", False)
    if not isinstance(url, str):
        raise Invalid(N_("The address must be a text."), "url")
    with services().database.session() as db:
        made = create_webhook(db, url, _events(body), all_runs)
    answer = jsonify(_as_json(made) | {"secret": made.secret})
    answer.headers["Cache-Control"] = "no-store"
    return answer, 201, {"Location": url_for("webhooks_api.show", webhook_id=made.id)}


@blueprint.get("/<uuid:webhook_id>")
@login_required
def show(webhook_id: UUID) -> Response:
    """One webhook."""
    with services().database.session() as db:
        return jsonify(_as_json(service.get(db, webhook_id, owner())))


@blueprint.patch("/<uuid:webhook_id>")
@login_required
def change(webhook_id: UUID) -> Response:
    """Change its `events`; pause and resume it by `active`."""
    body = _body()
    with services().database.session() as db:
        webhook = service.get(db, webhook_id, owner())
        if "events" in body:
            service.change_events(db, webhook, _events(body))
        if "active" in body:
            turn = service.resume if _flag(body, "active", True) else service.pause
            turn(db, webhook)
    return jsonify(_as_json(webhook))


@blueprint.delete("/<uuid:webhook_id>")
@login_required
def delete(webhook_id: UUID) -> ResponseReturnValue:
    """Remove it and its deliveries."""
    with services().database.session() as db:
        service.delete(db, service.get(db, webhook_id, owner()))
    return "", 204


@blueprint.get("/<uuid:webhook_id>/deliveries")
@login_required
def deliveries(webhook_id: UUID) -> Response:
    """Its deliveries, newest first; `next` is the `before` of the page after."""
    with services().database.session() as db:
        webhook = service.get(db, webhook_id, owner())
        rows, older = page_of_deliveries(db, webhook)
    return jsonify(deliveries=[_delivery(row) for row in rows], next=older)


@blueprint.post("/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/resend")
@login_required
def resend(webhook_id: UUID, delivery_id: UUID) -> ResponseReturnValue:
    """Send a delivery again: 202."""
    with services().database.session() as db:
        service.resend(db, service.get(db, webhook_id, owner()), delivery_id)
    return jsonify(id=str(delivery_id), state="waiting"), 202


def _body() -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid(N_("The body must be a JSON object."))
    return body


def _events(body: Json) -> list[str]:
    events = body.get("events", list(EVENTS))
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        raise Invalid(N_("The events must be a list of texts."), "events")
    return events


def _flag(body: Json, name: str, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise Invalid(N_("This must be true or false."), name)
    return value


def _as_json(webhook: Webhook) -> Json:
    return {
        "id": str(webhook.id),
        "url": webhook.url,
        "events": webhook.events,
        "all_runs": webhook.all_runs,
        "active": webhook.active,
        "state": webhook.state,
        "disabled_at": webhook.disabled_at and webhook.disabled_at.isoformat(),
        "disabled_reason": webhook.disabled_reason,
        "owner_id": webhook.owner_id,
        "created_at": webhook.created_at.isoformat(),
    }


def _delivery(row: DeliveryView) -> Json:
    return {
        "id": str(row.id),
        "message_id": message_id(row.id),
        "event": row.event,
        "run_id": str(row.run_id),
        "state": row.state,
        "created_at": row.created_at.isoformat(),
        "tries": row.tries,
        "tried_at": row.tried_at and row.tried_at.isoformat(),
        "next_try_at": row.next_try_at and row.next_try_at.isoformat(),
        "response_status": row.response_status,
        "response_body": row.response_body,
        "seconds": row.seconds,
        "error": row.error,
    }
