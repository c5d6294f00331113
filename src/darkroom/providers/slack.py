"""Slack's incoming webhooks. The address itself is the secret: no text ever names it.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from darkroom.errors import Permanent
from darkroom.providers import failures
from darkroom.providers.http import Answer, Http, Timeouts

LONGEST = 10_000
SETTING = "DARKROOM_SLACK_WEBHOOK_URL"
# What a webhook that works says to a message without a text.
EMPTY = {"no_text", "invalid_payload", "missing_text_or_fallback_or_attachments"}


class Slack:
    """One webhook. Safe to share between threads."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def post(self, text: str, blocks: Sequence[dict[str, Any]] = ()) -> None:
        """Post a message; `text` in Slack's own markup, cut where it gets too long.

        Raises
        ------
        Transient
            When Slack cannot be reached, is busy (with its own Retry-After) or is broken.
        Permanent
            When it refuses the message, or there is no such webhook (any more).
        """
        said: dict[str, Any] = {"text": text[:LONGEST]}
        answer = self._http.send("POST", "", json={**said, "blocks": blocks} if blocks else said)
        if not answer.ok:
            raise _refusal(answer)

    def check(self) -> None:
        """Post a message without a text, which no channel shows; raises when that is not heard."""
        answer = self._http.send("POST", "", json={"text": ""})
        if not answer.ok and answer.text.strip() not in EMPTY:
            raise _refusal(answer)


def connect(url: str, timeout_seconds: float) -> Slack:
    """The webhook of that address."""
    if not url.startswith(("https://", "http://")):
        raise Permanent(f"{SETTING} must begin with https://.")
    timeouts = Timeouts(timeout_seconds, timeout_seconds, timeout_seconds)
    return Slack(Http("Slack", url, secrets=[url, urlsplit(url).path], timeouts=timeouts))


def escaped(text: str) -> str:
    """Plain text in Slack's markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _refusal(answer: Answer) -> Exception:
    usual = failures.usual(answer, setting=SETTING)
    # Its mistakes are ours for good: nothing about the message will change.
    passing = answer.status in failures.BUSY or answer.status >= 500
    return usual if passing else failures.of(answer, Permanent(usual.message))
