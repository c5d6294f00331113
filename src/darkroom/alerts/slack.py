"""Slack's incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""

import json
from datetime import timedelta
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from darkroom.alerts import Alert
from darkroom.errors import Permanent, Transient

LONGEST = 10_000
LONGEST_ANSWER = 200


def send(url: str, alert: Alert, timeout_seconds: float) -> None:
    """Post the alert to a webhook.

    Raises
    ------
    Transient
        When Slack cannot be reached, is busy (with its own Retry-After) or is broken.
    Permanent
        When it refuses the message, or the address is none. Its text never names the address, which
        is a secret.
    """
    try:
        with urlopen(_request(url, alert), timeout=timeout_seconds):
            return
    except HTTPError as error:
        raise _refusal(error) from None
    except (OSError, HTTPException) as error:
        raise Transient(f"Slack cannot be reached: {error}") from error


def _request(url: str, alert: Alert) -> Request:
    if not url.startswith(("https://", "http://")):
        raise Permanent("DARKROOM_SLACK_WEBHOOK_URL must begin with https://.")
    said = f"*{_escaped(alert.headline)}*\n{_escaped(alert.text)}"[:LONGEST]
    body = json.dumps({"text": said}).encode()
    return Request(url, body, {"Content-Type": "application/json"}, method="POST")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _refusal(error: HTTPError) -> Transient | Permanent:
    said = error.read(LONGEST_ANSWER).decode(errors="replace")
    message = f"Slack answered {error.code}: {said}"
    if error.code == 429 or error.code >= 500:
        return Transient(message, _asked_to_wait(error.headers.get("Retry-After", "")))
    return Permanent(message)


def _asked_to_wait(header: str) -> timedelta | None:
    return timedelta(seconds=int(header)) if header.isdecimal() else None
