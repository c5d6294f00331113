"""A real HTTP server that takes webhooks and answers what the test tells it to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

PATIENCE = 120


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What came in, and what is answered: the next of `answers`, then 200."""

    port: int = 0
    received: Queue[Received] = field(default_factory=Queue)
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    # Runs in place of an answer, when a test wants to misbehave on the wire.
    instead: Callable[[Any], None] | None = None
    leaving: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    def will_answer(self, status: int, body: str = "", **headers: str) -> None:
        """Plan one answer."""
        self.answers.append((status, {k.replace("_", "-"): v for k, v in headers.items()}, body))

    def next(self) -> Received:
        """The next request, waited for."""
        return self.received.get(timeout=PATIENCE)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.received.put(Received(self.path, dict(self.headers.items()), body))
            if receiver.instead is not None:
                return receiver.instead(self)
            status, headers, text = receiver.answers.pop(0) if receiver.answers else (200, {}, "")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield receiver
    receiver.leaving.set()
    server.shutdown()
    server.server_close()
    thread.join()
