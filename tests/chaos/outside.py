"""The world outside: a local HTTP server that does what it is told once a key, and keeps count."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Outside:
    """What was done, by key: the attempts that asked for it, in order; the first one did it."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: dict[str, list[int]] = defaultdict(list)
        self._lock = threading.Lock()
        self.leaving = threading.Event()

    def do(self, key: str, attempt_id: int, seconds: float) -> str:
        """Do it, or know that it was done; the receipt is the same every time."""
        with self._lock:
            self.calls[key].append(attempt_id)
        # Done already, but not yet answered: whoever dies now does not know.
        self.leaving.wait(seconds)
        return self.receipt(key)

    @staticmethod
    def receipt(key: str) -> str:
        """What is answered for a key."""
        return f"receipt of {key}"


@contextmanager
def listening() -> Iterator[Outside]:
    """The outside, on a free port of this machine."""
    outside = Outside()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            receipt = outside.do(asked["key"], asked["attempt"], asked["seconds"]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(receipt)))
            self.end_headers()
            self.wfile.write(receipt)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            """Callers are killed while they wait."""

    server = Server(("127.0.0.1", 0), Handler)
    outside.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield outside
    outside.leaving.set()
    server.shutdown()
    server.server_close()
    thread.join()
