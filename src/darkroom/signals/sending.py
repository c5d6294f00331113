"""One HTTP POST to an endpoint: to the address that was checked, once, within a time."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from darkroom.errors import Transient
from darkroom.signals.addresses import Endpoint

MOST = 2000
"""Characters kept of an answer."""
MOST_BYTES = 4 * MOST
LONGEST_WISH = timedelta(days=1)


@dataclass(frozen=True)
class Answer:
    """What an endpoint said."""

    status: int
    body: str
    seconds: float
    retry_after: timedelta | None

    @property
    def ok(self) -> bool:
        """Whether it took the message; a redirect is no such thing."""
        return 200 <= self.status < 300


def post(
    endpoint: Endpoint,
    addresses: Sequence[str],
    body: bytes,
    headers: Mapping[str, str],
    timeout: float,
) -> Answer:
    """Send a body to one of the addresses and read the answer's beginning.

    Parameters
    ----------
    timeout
        Seconds for all of it, however slowly the other side talks.

    Raises
    ------
    Transient
        When nobody can be reached there, or nothing sensible comes back in time.
    """
    began = time.monotonic()
    try:
        with _connected(endpoint, addresses, timeout) as connection:
            connection.request("POST", endpoint.target, body, dict(headers))
            response = connection.getresponse()
            text = response.read(MOST_BYTES).decode(errors="replace").replace("\0", "\ufffd")
    except (OSError, http.client.HTTPException) as error:
        spent = time.monotonic() - began
        raise Transient(_trouble(endpoint, error, spent, timeout)) from error
    wish = response.headers.get("Retry-After", "")
    return Answer(response.status, text[:MOST], time.monotonic() - began, _seconds(wish))


@contextmanager
def _connected(
    endpoint: Endpoint, addresses: Sequence[str], timeout: float
) -> Iterator[http.client.HTTPConnection]:
    deadline = time.monotonic() + timeout
    with _opened(endpoint, addresses, deadline) as sock:
        left = max(0.0, deadline - time.monotonic())
        # A time-out of the socket starts anew with every byte that trickles in.
        alarm = threading.Timer(left, _hang_up, [sock])
        alarm.start()
        try:
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            yield _spoken_to(endpoint, sock)
        finally:
            alarm.cancel()


def _opened(endpoint: Endpoint, addresses: Sequence[str], deadline: float) -> socket.socket:
    sock = _reached(addresses, endpoint.port, deadline)
    if not endpoint.secure:
        return sock
    return _trust().wrap_socket(sock, server_hostname=endpoint.host, do_handshake_on_connect=False)


@cache
def _trust() -> ssl.SSLContext:
    # Once a process: reading the certificate authorities takes its time.
    return ssl.create_default_context()


def _spoken_to(endpoint: Endpoint, sock: socket.socket) -> http.client.HTTPConnection:
    connection = (
        http.client.HTTPSConnection(endpoint.host, endpoint.port, context=_trust())
        if endpoint.secure
        else http.client.HTTPConnection(endpoint.host, endpoint.port)
    )
    # It would look the name up again.
    connection.sock = sock
    return connection


def _reached(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    """A connection to the first address that answers."""
    trouble: OSError = TimeoutError("no time was left to connect")
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, port), left)
        except OSError as error:
            trouble = error
    raise trouble


def _hang_up(sock: socket.socket) -> None:
    with suppress(OSError):
        # Not the method of a TLS socket: it would drop its state under the thread that reads.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _trouble(endpoint: Endpoint, error: Exception, spent: float, timeout: float) -> str:
    if isinstance(error, TimeoutError) or spent >= timeout:
        return f"{endpoint.origin} did not answer within {timeout:g} s."
    return f"{endpoint.origin} could not be reached: {error or type(error).__name__}"


def _seconds(given: str) -> timedelta | None:
    """`Retry-After` as seconds; its form as a date is not worth the trouble."""
    if not given.strip().isdecimal() or len(given) > 9:
        return None
    return min(timedelta(seconds=int(given)), LONGEST_WISH)
