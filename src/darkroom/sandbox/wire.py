"""The outermost layer: it keeps the journal and lets the faults befall the requests."""

import io
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from werkzeug.test import run_wsgi_app
from werkzeug.wsgi import get_input_stream

from darkroom.sandbox.faults import ON_THE_WIRE, Fault
from darkroom.sandbox.state import FAULT, Sandbox

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTROL = "/_sandbox"
DROPS = 40


class Wire:
    """An app behind its own bad luck. What is under `/_sandbox` is spared."""

    def __init__(self, app: "WSGIApplication", sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path.startswith(CONTROL):
            return self._app(environ, start_response)
        body = get_input_stream(environ).read()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        fault = self._sandbox.faults.take(path, body)
        environ[FAULT] = fault
        return self._answered(environ, start_response, body, fault)

    def _answered(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        body: bytes,
        fault: Fault | None,
    ) -> Iterable[bytes]:
        sandbox, began = self._sandbox, time.monotonic()
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        kind = "" if fault is None else fault.kind
        entry = sandbox.journal.begin(sandbox.clock(), method, path, body, kind)
        chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        answer = b"".join(chunks)
        if kind == "malformed":
            answer = answer[: len(answer) * 2 // 3].rstrip(b"}]") + b'{"'
            headers["Content-Length"] = str(len(answer))
        told = 0 if kind == "cut" else int(status.partition(" ")[0])
        sandbox.journal.end(entry, told, answer, time.monotonic() - began)
        if fault is None or kind not in ON_THE_WIRE:
            start_response(status, list(headers))
            return [answer]
        return self._misdelivered(fault, answer, lambda: start_response(status, list(headers)))

    def _misdelivered(self, fault: Fault, answer: bytes, begin: Any) -> Iterator[bytes]:
        if fault.kind == "slow":
            self._sandbox.stopping.wait(fault.seconds)
        if fault.kind == "cut" and fault.portion == 0:
            raise ConnectionResetError
        begin()
        if fault.kind == "cut":
            yield answer[: max(1, int(len(answer) * fault.portion))]
            raise ConnectionResetError
        if fault.kind == "drip":
            yield from self._drops(answer, fault.seconds)
        else:
            yield answer

    def _drops(self, answer: bytes, seconds: float) -> Iterator[bytes]:
        size = max(1, -(-len(answer) // DROPS))
        starts = range(0, len(answer), size)
        for start in starts:
            yield answer[start : start + size]
            self._sandbox.stopping.wait(seconds / len(starts))
