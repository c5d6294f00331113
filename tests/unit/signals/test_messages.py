from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from darkroom.signals.messages import Message

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def message() -> Message:
    return Message(
        id=UUID(int=7),
        event="run.succeeded",
        run={"id": "r", "title": "ñandú.jpg"},
        created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-3))),
        outcome=None,
        webhook_id=UUID(int=8),
        url="https://example.org/",
        secret=SECRET,
        listens=True,
        by_admin=False,
        now=datetime.now(UTC),
    )


def test_the_library_verifies_what_is_sent(message: Message) -> None:
    assert Webhook(SECRET).verify(message.body.encode(), message.headers) == {
        "type": "run.succeeded",
        "timestamp": "2026-01-02T06:04:05+00:00",
        "data": {"run": {"id": "r", "title": "ñandú.jpg"}},
    }


def test_a_changed_body_is_found_out(message: Message) -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(message.body.replace("r", "s"), message.headers)


def test_another_secret_does_not_verify(message: Message) -> None:
    other = replace(message, secret="whsec_" + "QUFB" * 8)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(other.body, other.headers)


def test_a_second_try_has_the_same_id_and_body_and_a_later_time(message: Message) -> None:
    later = replace(message, now=message.now + timedelta(minutes=2))
    assert later.body == message.body
    assert later.headers["webhook-id"] == message.headers["webhook-id"]
    assert later.headers["webhook-timestamp"] > message.headers["webhook-timestamp"]
