import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from darkroom.errors import Transient
from darkroom.providers import addresses
from darkroom.signals import sending
from tests.engine.receiver import Receiver, receiving

HERE = ["127.0.0.1"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


def post(receiver: Receiver, timeout: float = 10, **options) -> sending.Answer:
    url = options.get("url", receiver.url)
    found = options.get("found", HERE)
    return sending.post(addresses.parse(url), found, b"{}", {"X-Test": "yes"}, timeout)


def test_body_and_headers_arrive(receiver: Receiver) -> None:
    answer = post(receiver)
    got = receiver.next()
    assert answer.ok and answer.status == 200
    assert (got.path, got.body, got.headers["X-Test"]) == ("/hook", b"{}", "yes")
    assert got.headers["Host"] == f"127.0.0.1:{receiver.port}"


def test_the_connection_goes_to_the_address_that_was_checked(receiver: Receiver) -> None:
    # A name that leads nowhere: it is not looked up again.
    post(receiver, url=f"http://nowhere.invalid:{receiver.port}/hook")
    assert receiver.next().headers["Host"].startswith("nowhere.invalid")


def test_the_next_address_is_tried_when_one_does_not_answer(receiver: Receiver) -> None:
    assert post(receiver, found=["127.0.0.1", "127.0.0.1"]).ok
    assert post(receiver, found=["::1", "127.0.0.1"]).ok


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver) -> None:
    receiver.will_answer(307, Location=f"http://127.0.0.1:{receiver.port}/other")
    answer = post(receiver)
    assert not answer.ok and answer.status == 307
    assert receiver.next().path == "/hook"
    assert receiver.received.empty()


def test_only_the_beginning_of_an_answer_is_kept_and_it_fits_a_database(receiver: Receiver) -> None:
    receiver.will_answer(500, "\0" + "ñ" * 100_000)
    body = post(receiver).body
    assert len(body) == sending.MOST and body.startswith("\ufffdñ")


@pytest.mark.parametrize(
    ("given", "seconds"), [("120", 120), ("999999999", 86400), ("soon", None), ("-1", None)]
)
def test_a_wish_to_wait_is_read(receiver: Receiver, given: str, seconds: float | None) -> None:
    receiver.will_answer(503, Retry_After=given)
    wish = post(receiver).retry_after
    assert (wish and wish.total_seconds()) == seconds


def test_an_endpoint_that_says_nothing_is_given_up_in_time(receiver: Receiver) -> None:
    receiver.instead = lambda _: receiver.leaving.wait(10)
    began = time.monotonic()
    with pytest.raises(Transient, match=r"did not answer within 0.3 s"):
        post(receiver, timeout=0.3)
    assert time.monotonic() - began < 5


def test_an_endpoint_that_trickles_is_given_up_in_time(receiver: Receiver) -> None:
    def trickle(handler) -> None:
        with suppress(OSError):
            while not receiver.leaving.wait(0.02):
                handler.wfile.write(b"H")

    receiver.instead = trickle
    began = time.monotonic()
    with pytest.raises(Transient, match=r"did not answer within 0.3 s"):
        post(receiver, timeout=0.3)
    assert time.monotonic() - began < 5


def test_nonsense_is_a_failure_in_words(receiver: Receiver) -> None:
    receiver.instead = lambda handler: handler.wfile.write(b"what?\r\n\r\n")
    with pytest.raises(Transient, match="could not be reached"):
        post(receiver)


def test_a_closed_port_is_a_failure_without_the_secret_part_of_the_address() -> None:
    endpoint = addresses.parse("http://127.0.0.1:1/secret-path")
    with pytest.raises(Transient, match="could not be reached") as caught:
        sending.post(endpoint, HERE, b"", {}, 5)
    assert "secret" not in caught.value.message


def test_a_certificate_of_nobody_is_refused(receiver: Receiver) -> None:
    with pytest.raises(Transient, match="could not be reached"):
        post(receiver, url=f"https://localhost:{receiver.port}/hook")
