from collections.abc import Sequence

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from darkroom.web.client import address


def told(peer: str | None, forwarded: str | None = None, trusted: Sequence[str] = ()) -> str:
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    environ = EnvironBuilder(headers=headers).get_environ()
    environ.pop("REMOTE_ADDR", None)
    if peer is not None:
        environ["REMOTE_ADDR"] = peer
    return address(Request(environ), trusted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("198.51.100.1", None, (), "198.51.100.1"),
        ("198.51.100.1", "203.0.113.1", (), "198.51.100.1"),
        ("198.51.100.1", "203.0.113.1", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "203.0.113.1", ("10.0.0.0/8",), "203.0.113.1"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.1", ("10.0.0.0/8",), "203.0.113.1"),
        ("10.0.0.1", "203.0.113.1, 10.0.0.2", ("10.0.0.0/8",), "203.0.113.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", ("10.0.0.0/8",), "10.0.0.3"),
        ("10.0.0.1", "rubbish", ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1, rubbish", ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", "", ("10.0.0.0/8",), "10.0.0.1"),
        ("::ffff:10.0.0.1", "203.0.113.1", ("10.0.0.0/8",), "203.0.113.1"),
        ("2001:db8:1:2:3:4:5:6", None, (), "2001:db8:1:2::/64"),
        ("::1", "203.0.113.1", ("10.0.0.0/8", "::1"), "203.0.113.1"),
        (None, "203.0.113.1", ("10.0.0.0/8",), "unknown"),
    ],
)
def test_the_nearest_machine_that_is_not_our_proxy_is_the_client(
    peer: str | None, forwarded: str | None, trusted: Sequence[str], expected: str
) -> None:
    assert told(peer, forwarded, trusted) == expected
