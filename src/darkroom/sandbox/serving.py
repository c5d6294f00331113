"""The server: Werkzeug's threaded one, on loopback only.

It is meant for development, and so is what it serves: nobody but this machine's own Darkroom talks
to it. A request has a thread to itself, so that a slow answer holds up no other.
"""

import logging
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from darkroom.errors import Invalid
from darkroom.sandbox.app import create_app
from darkroom.sandbox.control import NAME
from darkroom.sandbox.state import Sandbox, models
from darkroom.settings import ProvidersSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
BACKLOG = 128
LOOK_AGAIN_SECONDS = 2.0


class _Handler(WSGIRequestHandler):
    """Says nothing: the journal does, and paths may hold secrets."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Leave it to the journal."""

    def connection_dropped(
        self, error: BaseException, environ: "WSGIEnvironment | None" = None
    ) -> None:
        """End the connection, also where it was us who dropped it."""
        self.close_connection = True


@contextmanager
def serving(
    settings: ProvidersSettings, port: int, clock: Callable[[], float] = time.time
) -> Iterator[tuple[Sandbox, int]]:
    """A sandbox that answers from a thread, and the port of loopback that it got.

    Parameters
    ----------
    port
        The port it is to have; 0 for a free one.
    """
    with (
        socket.create_server((HOST, port), backlog=BACKLOG) as listening,
        _made(settings, clock) as sandbox,
    ):
        server = _server(sandbox, listening)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield sandbox, server.port
        finally:
            sandbox.stopping.set()
            server.shutdown()
            thread.join()
            server.server_close()


def run(settings: ProvidersSettings, stop: threading.Event) -> None:
    """Serve until told to stop; while another Darkroom's sandbox has the port, wait for its end.

    Raises
    ------
    Invalid
        When something else has the port.
    """
    port, told = settings.sandbox_port, False
    while not stop.is_set():
        try:
            with serving(settings, port):
                log.info("the sandbox answers on %s:%d", HOST, port)
                stop.wait()
        except (OSError, OverflowError) as error:
            if not _is_sandbox(port):
                raise _taken(port, error) from error
            if not told:
                log.info("port %d is another Darkroom's sandbox: that one is used", port)
            told = True
            stop.wait(LOOK_AGAIN_SECONDS)


@contextmanager
def _made(settings: ProvidersSettings, clock: Callable[[], float]) -> Iterator[Sandbox]:
    with tempfile.TemporaryDirectory(prefix="darkroom-sandbox-") as folder:
        yield Sandbox(Path(folder), models(settings), clock)


def _server(sandbox: Sandbox, listening: socket.socket) -> BaseWSGIServer:
    port = listening.getsockname()[1]
    app, file = create_app(sandbox), listening.fileno()
    server = make_server(HOST, port, app, threaded=True, request_handler=_Handler, fd=file)
    # A thread that is still at work must hold up nobody's end.
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.block_on_close = False  # type: ignore[attr-defined]
    return server


def _is_sandbox(port: int) -> bool:
    """Whether what listens there is a sandbox."""
    session = requests.Session()
    session.trust_env = False
    try:
        said = session.get(f"http://{HOST}:{port}/_sandbox", timeout=LOOK_AGAIN_SECONDS).json()
    except (requests.RequestException, ValueError):
        return False
    return isinstance(said, dict) and said.get("name") == NAME


def _taken(port: int, error: Exception) -> Invalid:
    why = getattr(error, "strerror", None) or str(error).rstrip(".")
    return Invalid(
        f"The sandbox cannot listen on {HOST}:{port}: {why}. "
        "Set DARKROOM_SANDBOX_PORT to a free one.",
        "DARKROOM_SANDBOX_PORT",
    )
