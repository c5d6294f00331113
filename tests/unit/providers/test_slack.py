from datetime import timedelta

import pytest

from darkroom.errors import Permanent, Transient
from darkroom.providers import slack
from tests.engine.service import Service

PATH = "/services/T000/B000/XXXX"


def test_a_message_is_text_and_blocks(service: Service) -> None:
    service.will(200, b"ok").will(200, b"ok")
    hook = slack.connect(service.url + PATH, 5)
    hook.post("hello")
    assert (service.last.path, service.last.json) == (PATH, {"text": "hello"})
    blocks = [{"type": "divider"}]
    hook.post("x" * 20_000, blocks)
    assert service.last.json == {"text": "x" * slack.LONGEST, "blocks": blocks}


@pytest.mark.parametrize(
    ("status", "said"),
    [(400, "invalid_payload"), (403, "invalid_token"), (404, "no_service"), (410, "is_archived")],
)
def test_plain_text_errors_are_for_good_and_name_the_setting_only(
    service: Service, status: int, said: str
) -> None:
    service.will(status, said)
    with pytest.raises(Permanent, match=said) as caught:
        slack.connect(service.url + PATH, 5).post("hello")
    assert PATH not in caught.value.message
    assert caught.value.http_status == status


def test_a_busy_slack_is_waited_for(service: Service) -> None:
    service.will(429, "rate_limited", Retry_After="30").will(500, "rollup_error")
    hook = slack.connect(service.url + PATH, 5)
    with pytest.raises(Transient) as caught:
        hook.post("hello")
    assert caught.value.retry_after == timedelta(seconds=30)
    with pytest.raises(Transient, match="rollup_error"):
        hook.post("hello")


def test_a_webhook_that_cannot_be_reached_is_not_named() -> None:
    with pytest.raises(Transient) as caught:
        slack.connect(f"http://127.0.0.1:1{PATH}", 5).post("hello")
    assert PATH not in caught.value.message


def test_a_check_shows_nothing_in_the_channel(service: Service) -> None:
    service.will(400, "no_text").will(404, "no_service")
    hook = slack.connect(service.url + PATH, 5)
    hook.check()
    assert service.last.json == {"text": ""}
    with pytest.raises(Permanent, match="no_service"):
        hook.check()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(Permanent, match="DARKROOM_SLACK_WEBHOOK_URL"):
        slack.connect("hooks.slack.com/services/x", 5)
