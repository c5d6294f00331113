"""Google Cloud Storage's S3 interface: moto's. Any key is let in; the bucket "sandbox" is there.

The buckets are those of the process: moto keeps them in one place.
"""

import io
import threading
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from darkroom.sandbox.faults import Fault
from darkroom.sandbox.services import refusals
from darkroom.sandbox.state import KNOWN, fault

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

NAME = "gcs"
METHODS = ["GET", "PUT", "POST", "DELETE", "HEAD"]
XML = '<?xml version="1.0" encoding="UTF-8"?>'
CODES = {
    "limit": "SlowDown",
    "quota": "SlowDown",
    "expired": "SignatureDoesNotMatch",
    "forbidden": "AccessDenied",
    "gone": "NoSuchBucket",
}

service = Blueprint(NAME, __name__, url_prefix=f"/{NAME}")

_starting = threading.Lock()
_started: list["WSGIApplication"] = []


@service.before_request
def guard() -> ResponseReturnValue | None:
    """Let faults in before the request."""
    if (befallen := fault()) is not None and refusals.is_refusal(befallen):
        return _refusal(befallen)
    return None


@service.route(
    "/",
    defaults={"path": ""},
    methods=["GET", "PUT", "POST", "DELETE", "HEAD"],
    strict_slashes=False,
)
@service.route("/<path:path>", methods=METHODS)
def pass_on(path: str) -> ResponseReturnValue:
    """Have moto answer, as if nothing stood before its path."""
    environ = dict(request.environ)
    prefix = f"/{NAME}"
    raw = environ.get("RAW_URI", environ.get("REQUEST_URI", ""))
    environ.update(
        SCRIPT_NAME="",
        PATH_INFO=environ["PATH_INFO"].removeprefix(prefix) or "/",
        REQUEST_URI=raw.removeprefix(prefix),
        RAW_URI=raw.removeprefix(prefix),
    )
    environ.pop("werkzeug.request", None)
    environ["wsgi.input"] = io.BytesIO(request.get_data())
    return Response.from_app(_storage(), environ, buffered=True)


def _storage() -> "WSGIApplication":
    """Moto's app with our bucket in it. It is loaded when somebody wants it: that takes seconds."""
    with _starting:
        if not _started:
            import boto3  # noqa: F401  moto wants its data before it answers
            from moto.moto_server.werkzeug_app import create_backend_app

            app: WSGIApplication = create_backend_app("s3")
            _put_bucket(app)
            _started.append(app)
    return _started[0]


def _put_bucket(app: "WSGIApplication") -> None:
    from werkzeug.test import Client

    policy = {"Authorization": "AWS sandbox:x", "x-amz-acl": "public-read"}
    Client(app).put(f"/{KNOWN}", headers=policy, base_url="http://127.0.0.1")


def _refusal(befallen: Fault) -> Response:
    status = 503 if befallen.kind in {"limit", "quota"} else refusals.status_of(befallen)
    code = CODES.get(befallen.kind, "InternalError")
    if befallen.kind == "expired":
        status = 403
    said = escape(refusals.WORDS[befallen.kind])
    text = f"{XML}<Error><Code>{code}</Code><Message>{said}</Message></Error>"
    return Response(text, status, mimetype="application/xml")
