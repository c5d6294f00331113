"""Slack's incoming webhooks. Any path is one; what ends in `/gone` is none any more.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from darkroom.sandbox.services import refusals
from darkroom.sandbox.state import fault

NAME = "slack"

service = Blueprint(NAME, __name__, url_prefix=f"/{NAME}")


@service.before_request
def guard() -> ResponseReturnValue | None:
    """Let faults in before the message; Slack says them in plain text."""
    befallen = fault()
    if befallen is None or not refusals.is_refusal(befallen):
        return None
    if befallen.kind == "gone":
        return _said(404, "no_service")
    words = {"expired": "invalid_token", "forbidden": "action_prohibited", "limit": "rate_limited"}
    return refusals.told_to_wait(_said(500, words.get(befallen.kind, "rollup_error")), befallen)


@service.post("/<path:webhook>")
def post(webhook: str) -> ResponseReturnValue:
    """Take a message."""
    if webhook.endswith("gone"):
        return _said(404, "no_service")
    said = request.get_json(silent=True)
    if not isinstance(said, dict):
        return _said(400, "invalid_payload")
    if not said.get("text") and not said.get("blocks"):
        return _said(400, "no_text")
    if not isinstance(said.get("blocks", []), list):
        return _said(400, "invalid_blocks")
    return _said(200, "ok")


def _said(status: int, word: str) -> Response:
    return Response(word, status, mimetype="text/plain")
