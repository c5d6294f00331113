"""Connections to addresses that were checked, and an end to those that never end."""

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from types import TracebackType
from typing import Self

from darkroom.providers.addresses import Endpoint


class Deadline:
    """Hangs up on the sockets it watches when its time is over.

    A time-out of a socket starts anew with every byte that trickles in; this one does not.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._alarm = threading.Timer(seconds, self._ring)
        self._alarm.daemon = True
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self.over = False

    @property
    def left(self) -> float:
        """The seconds left, never less than 0."""
        return max(0.0, self._ends - time.monotonic())

    def watch(self, sock: socket.socket) -> None:
        """Hang up on this one, too."""
        # Another handle on the connection: TLS takes the first one away while it shakes hands.
        handle = socket.socket(fileno=os.dup(sock.fileno()))
        with self._lock:
            self._watched.append(handle)
            if self.over:
                _hang_up(handle)

    def __enter__(self) -> Self:
        self._alarm.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._alarm.cancel()
        with self._lock:
            while self._watched:
                self._watched.pop().close()

    def _ring(self) -> None:
        with self._lock:
            self.over = True
            for handle in self._watched:
                _hang_up(handle)


@contextmanager
def connected(
    endpoint: Endpoint, addresses: Sequence[str], deadline: Deadline
) -> Iterator[http.client.HTTPConnection]:
    """A connection to the first of the addresses that answers; the name is not looked up again.

    Raises
    ------
    OSError
        When none answers in time, or it is not who it should be (TLS).
    """
    with _opened(endpoint, addresses, deadline) as sock:
        deadline.watch(sock)
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        yield _spoken_to(endpoint, sock)


def _opened(endpoint: Endpoint, addresses: Sequence[str], deadline: Deadline) -> socket.socket:
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


def _reached(addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
    """A connection to the first address that answers."""
    trouble: OSError = TimeoutError("no time was left to connect")
    for address in addresses:
        if deadline.left <= 0:
            break
        try:
            return socket.create_connection((address, port), deadline.left)
        except OSError as error:
            trouble = error
    raise trouble


def _hang_up(handle: socket.socket) -> None:
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)
