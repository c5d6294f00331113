import gzip
import logging
import threading
import time
import traceback
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from darkroom.errors import Permanent, Transient
from darkroom.providers.http import Answer, Http, Timeouts
from tests.engine.service import Service

SECRET = "sk-very-secret"


def client(service: Service, **options) -> Http:
    timeouts = options.pop("timeouts", Timeouts(connect=2, read=5, total=10))
    headers = {"Authorization": f"Bearer {SECRET}"}
    return Http(
        "Service", service.url, headers=headers, secrets=[SECRET], timeouts=timeouts, **options
    )


def test_method_path_body_and_headers_arrive(service: Service) -> None:
    answer = client(service).send("POST", "/a", json={"b": 1}, params={"c": "d"})
    heard = service.last
    assert (heard.method, heard.path, heard.json) == ("POST", "/a?c=d", {"b": 1})
    assert heard.headers["Authorization"] == f"Bearer {SECRET}"
    assert answer.ok and answer.json() == {} and answer.seconds > 0


def test_connections_are_reused(service: Service) -> None:
    http = client(service)
    for _ in range(3):
        http.send("GET", "/")
    pools = http._session.adapters["http://"].poolmanager.pools
    (pool,) = (pools[key] for key in list(pools.keys()))
    assert pool.num_connections == 1


def test_any_status_is_an_answer_and_is_not_tried_again(service: Service) -> None:
    for status in (302, 404, 429, 503):
        service.will(status, b"no", Location="/elsewhere")
        assert client(service).send("GET", "/").status == status
    assert len(service.heard) == 4


def test_a_netrc_does_not_overwrite_our_key(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client(service).send("GET", "/")
    assert service.last.headers["Authorization"] == f"Bearer {SECRET}"


def test_loopback_needs_no_proxy(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert client(service).send("GET", "/").ok


def test_a_closed_port_is_said_in_words() -> None:
    with pytest.raises(Transient, match=r"Service cannot be reached: Connection refused\."):
        Http("Service", "http://127.0.0.1:1").send("GET", "/secret-path")


def test_a_base_url_that_is_none_cannot_be_asked() -> None:
    with pytest.raises(Permanent, match="cannot be asked"):
        Http("Service", "gopher://x").send("GET", "/")


def test_a_service_that_says_nothing_is_given_up(service: Service) -> None:
    service.instead = lambda _: service.leaving.wait(10)
    with pytest.raises(Transient, match=r"said nothing for 0.2 s"):
        client(service, timeouts=Timeouts(read=0.2)).send("GET", "/")


def trickling(service: Service, head: bytes):
    def trickle(handler) -> None:
        with suppress(OSError):
            handler.wfile.write(head)
            while not service.leaving.wait(0.02):
                handler.wfile.write(b"x")

    return trickle


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Endless: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
    ids=["status", "headers", "body", "body without a length"],
)
def test_a_service_that_drips_is_given_up_in_time(service: Service, head: bytes) -> None:
    service.instead = trickling(service, head)
    began = time.monotonic()
    with pytest.raises(Transient, match=r"was not done within 0.5 s"):
        client(service, timeouts=Timeouts(read=5, total=0.5)).send("GET", "/")
    assert time.monotonic() - began < 4


def test_a_reused_connection_that_drips_is_given_up_in_time(service: Service) -> None:
    http = client(service, timeouts=Timeouts(read=5, total=0.5))
    http.send("GET", "/")
    service.instead = trickling(service, b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n")
    with pytest.raises(Transient, match=r"was not done within 0.5 s"):
        http.send("GET", "/")


def test_no_call_ends_another_one_s_connection(service: Service) -> None:
    http = client(service, timeouts=Timeouts(read=5, total=0.2))
    for _ in range(3):
        assert http.send("GET", "/").ok
        threading.Event().wait(0.15)


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
        b"",
        b"what?\r\n\r\n",
    ],
)
def test_an_answer_that_is_cut_off_may_come_whole_later(service: Service, sent: bytes) -> None:
    service.instead = lambda handler: handler.wfile.write(sent)
    with pytest.raises(Transient, match="Service cannot be reached"):
        client(service).send("GET", "/")


def test_an_answer_that_is_too_large_is_not_read_to_its_end(service: Service) -> None:
    service.will(200, b"x" * 5000)
    with pytest.raises(Permanent, match="more than 1000 bytes"):
        client(service, max_bytes=1000).send("GET", "/")


def test_what_is_small_on_the_wire_may_still_be_too_large(service: Service) -> None:
    service.will(200, gzip.compress(b"x" * 5_000_000), Content_Encoding="gzip")
    with pytest.raises(Permanent, match="more than 1000000 bytes"):
        client(service, max_bytes=1_000_000).send("GET", "/")


def test_a_success_goes_to_a_file_and_a_failure_does_not(service: Service, tmp_path: Path) -> None:
    service.will(200, b"picture").will(500, b"trouble")
    first = client(service).send("GET", "/", stream_to=tmp_path / "a")
    second = client(service).send("GET", "/", stream_to=tmp_path / "b")
    assert (first.body, (tmp_path / "a").read_bytes()) == (b"", b"picture")
    assert (second.body, (tmp_path / "b").exists()) == (b"trouble", False)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":', b"\xff\xfe"])
def test_malformed_json_may_be_whole_later(service: Service, body: bytes) -> None:
    service.will(200, body)
    with pytest.raises(Transient, match="Service answered 200 with something unreadable") as caught:
        client(service).send("GET", "/").json()
    assert caught.value.http_status == 200


def answer(**headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("Service", 429, named, b"", 0.1)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "3"}, 3),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        ({"retry_after": "99999999999"}, 86400),
        ({"retry_after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry_after": "Fri, 01 Jan 2999 00:00:00 GMT"}, 86400),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "nan"}, None),
        ({}, None),
    ],
)
def test_a_wish_to_wait_is_read_in_all_its_forms(headers, seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert answer(**headers).retry_after == expected


def test_our_key_is_in_no_text_no_representation_and_no_error(service: Service) -> None:
    service.will(401, {"error": {"message": f"Incorrect API key provided: {SECRET}"}})
    found = client(service).send("GET", "/")
    assert SECRET not in found.text + repr(found) + str(found.told())
    assert "•••" in found.text


def test_neither_logs_nor_tracebacks_name_the_path(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = "/services/T0/" + "secret".upper()
    with pytest.raises(Transient) as caught:
        Http("Slack", f"http://127.0.0.1:1{path}").send("POST", "")
    told = "".join(traceback.format_exception(caught.value))
    assert "SECRET" not in told + caplog.text


def test_a_good_call_logs_no_path_either(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    Http("Slack", f"{service.url}/services/SECRET", headers={"x-key": "KEYKEY"}).send("POST", "")
    assert "SECRET" not in caplog.text and "KEYKEY" not in caplog.text
