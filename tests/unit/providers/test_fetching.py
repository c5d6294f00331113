import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from darkroom.errors import Invalid, Transient
from darkroom.providers.fetching import Fetched, fetch, fetch_picture
from tests.engine.service import Service

PUBLIC = "93.184.216.34"


def get(url: str, to: Path, **options) -> Fetched:
    return fetch(url, to, **{"max_bytes": 1000, "total_seconds": 5, "private": True, **options})


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "fetched"


def test_a_file_is_fetched(service: Service, to: Path) -> None:
    service.will(200, b"picture", Content_Type="image/png; charset=x")
    found = get(f"{service.url}/a.png?b=c", to)
    assert to.read_bytes() == b"picture"
    assert found == Fetched(f"{service.url}/a.png?b=c", "image/png", 7)
    assert service.last.path == "/a.png?b=c"


def test_letters_that_a_url_may_not_hold_are_quoted(service: Service, to: Path) -> None:
    get(f" {service.url}/piña colada.png?q=ñ&r=%20#part ", to)
    assert service.last.path == "/pi%C3%B1a%20colada.png?q=%C3%B1&r=%20"


def test_redirects_are_followed(service: Service, to: Path) -> None:
    service.will(302, Location="/b").will(307, Location=f"{service.url}/c").will(200, b"x")
    assert get(f"{service.url}/a", to).final_url == f"{service.url}/c"
    assert [heard.path for heard in service.heard] == ["/a", "/b", "/c"]


def test_endless_redirects_are_not(service: Service, to: Path) -> None:
    for _ in range(10):
        service.will(302, Location="/a")
    with pytest.raises(Invalid, match="more than 5 times"):
        get(f"{service.url}/a", to)
    assert len(service.heard) == 6


# What leads to us or our neighbours.

SPELLINGS = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:53aa:64c:0:fbff:80ff:fffe]/",
    "http://[fe80::5efe:127.0.0.1]/",
    "http://[2a00::200:5efe:10.0.0.1]/",
    "http://[fc00::1]/",
    "http://[fec0::1]/",
    "http://[fe80::1%25lo]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://１２７.0.0.1/",
    "http://ⓛocalhost/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://192.0.0.8/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
]


@pytest.mark.parametrize("url", SPELLINGS)
def test_no_spelling_of_a_private_address_is_fetched(url: str, to: Path) -> None:
    with pytest.raises((Invalid, Transient), match=r"not a public one|cannot be found") as caught:
        get(url, to, private=False)
    assert not to.exists()
    assert isinstance(caught.value, Invalid) or "%25lo" in url or "1::7f00" in url


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/a",
        "gopher://127.0.0.1/",
        "data:image/png;base64,AAAA",
        "//example.org/",
        "http://user:word@example.org/",
        "http://example.org\\@127.0.0.1/",
        "http:///a",
        "",
    ],
)
def test_what_is_no_plain_web_address_is_not_fetched(url: str, to: Path) -> None:
    with pytest.raises(Invalid) as caught:
        get(url, to, private=False)
    assert caught.value.field == "url"


class Names:
    """A name server whose answers change from look to look; all lead to loopback in the end."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]]


@pytest.fixture
def dialled(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses connected to; each connection ends at the service."""
    addresses: list[str] = []
    connect = socket.create_connection

    def to_service(address, *args, **options):
        addresses.append(address[0])
        return connect(("127.0.0.1", service.port), *args, **options)

    monkeypatch.setattr(socket, "create_connection", to_service)
    return addresses


def test_a_name_is_looked_up_once_and_that_address_is_connected_to(
    service: Service, to: Path, dialled: list[str]
) -> None:
    names = Names(PUBLIC, "127.0.0.1")
    get("http://rebinding.example/", to, private=False, look=names)
    assert dialled == [PUBLIC]
    assert names.asked == ["rebinding.example"]
    assert service.last.headers["Host"] == "rebinding.example"


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/admin",
        "http://2130706433/",
        "http://[::ffff:10.0.0.1]/",
        "//169.254.169.254/latest",
        "http://inside.example/",
    ],
)
def test_a_redirect_to_a_private_address_is_not_followed(
    service: Service, to: Path, dialled: list[str], location: str
) -> None:
    service.will(302, Location=location)

    def look(host: str, port: int) -> Sequence[str]:
        known = {"outside.example": PUBLIC, "inside.example": "10.0.0.7"}
        return [known[host]] if host in known else [socket.getaddrinfo(host, port)[0][4][0]]

    with pytest.raises(Invalid, match="not a public one"):
        get("http://outside.example/", to, private=False, look=look)
    assert dialled == [PUBLIC]
    assert not to.exists()


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://a/", "http://u:p@a/"])
def test_a_redirect_to_something_else_is_not_followed(
    service: Service, to: Path, location: str
) -> None:
    service.will(302, Location=location)
    with pytest.raises(Invalid):
        get(service.url, to)


def test_a_redirect_to_nowhere_is_the_address_s_fault(service: Service, to: Path) -> None:
    service.will(302)
    with pytest.raises(Invalid, match="not where to"):
        get(service.url, to)


# Too much, too slow, too short.


def test_what_says_that_it_is_too_large_is_not_read(service: Service, to: Path) -> None:
    service.will(200, b"x" * 1001)
    with pytest.raises(Invalid, match="more than 1000 bytes"):
        get(service.url, to)
    assert not to.exists()


def test_what_is_too_large_without_saying_so_is_not_read_to_its_end(
    service: Service, to: Path
) -> None:
    def flood(handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        with suppress(OSError):
            while not service.leaving.is_set():
                handler.wfile.write(b"x" * 10_000)

    service.instead = flood
    with pytest.raises(Invalid, match="more than 1000 bytes"):
        get(service.url, to)
    assert not to.exists()


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
)
def test_what_drips_is_given_up_in_time(service: Service, to: Path, head: bytes) -> None:
    def trickle(handler) -> None:
        with suppress(OSError):
            handler.wfile.write(head)
            while not service.leaving.wait(0.02):
                handler.wfile.write(b"x")

    service.instead = trickle
    began = time.monotonic()
    with pytest.raises(Transient, match=r"not done in time|cut off"):
        get(service.url, to, total_seconds=0.5)
    assert time.monotonic() - began < 4
    assert not to.exists()


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
        b"",
    ],
)
def test_what_is_cut_off_may_come_whole_later(service: Service, to: Path, sent: bytes) -> None:
    service.instead = lambda handler: handler.wfile.write(sent)
    with pytest.raises(Transient):
        get(service.url, to)
    assert not to.exists()


@pytest.mark.parametrize(
    ("status", "error"), [(404, Invalid), (403, Invalid), (206, Invalid), (503, Transient)]
)
def test_a_status_says_whether_another_try_may_help(
    service: Service, to: Path, status: int, error: type[Exception]
) -> None:
    service.will(status, b"page")
    with pytest.raises(error, match=f"answered {status}"):
        get(service.url, to)


def test_a_picture_is_fetched_as_what_it_is(service: Service, tmp_path: Path) -> None:
    service.will(200, b"\xff\xd8\xffphoto", Content_Type="text/html").will(200, b"<html>")
    found = fetch_picture(service.url, tmp_path / "work", max_bytes=100, private=True)
    assert (found.data, found.mime) == (b"\xff\xd8\xffphoto", "image/jpeg")
    with pytest.raises(Invalid, match="no picture"):
        fetch_picture(service.url, tmp_path / "work", max_bytes=100, private=True)
    assert list((tmp_path / "work").iterdir()) == []
