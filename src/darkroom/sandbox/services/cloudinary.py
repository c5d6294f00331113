"""Cloudinary: pictures uploaded, served and destroyed. Any cloud is there; key and secret are ours.

https://cloudinary.com/documentation/image_upload_api_reference
"""

import hashlib
import hmac
import io
import uuid
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from PIL import Image

from darkroom.sandbox.faults import Fault
from darkroom.sandbox.pictures.pixels import Unreadable, opened
from darkroom.sandbox.services import refusals
from darkroom.sandbox.state import KNOWN, address, fault, here

NAME = "cloudinary"
VALID_SECONDS = 3600.0
UNSIGNED = {"file", "cloud_name", "resource_type", "api_key", "signature"}
DIGESTS = {40: hashlib.sha1, 64: hashlib.sha256}

service = Blueprint(NAME, __name__, url_prefix=f"/{NAME}")


@dataclass(frozen=True)
class _Stored:
    shelf_name: str
    mime: str
    version: int


@service.before_request
def guard() -> ResponseReturnValue | None:
    """Let faults in before the request."""
    if (befallen := fault()) is not None and refusals.is_refusal(befallen):
        return _refusal(befallen)
    return None


@service.get("/v1_1/<cloud>/ping")
def ping(cloud: str) -> ResponseReturnValue:
    """Say that the account is known."""
    return jsonify(status="ok") if _is_basic() else _error(401, "unknown api_key")


@service.post("/v1_1/<cloud>/image/upload")
def upload(cloud: str) -> ResponseReturnValue:
    """Keep a picture under its `public_id`."""
    if (refused := _unsigned()) is not None:
        return refused
    if "file" not in request.files:
        return _error(400, "Missing required parameter - file")
    data = request.files["file"].read()
    try:
        height, width = opened(data).shape[:2]
    except Unreadable:
        return _error(400, "Invalid image file")
    public_id = request.form.get("public_id") or uuid.uuid4().hex[:20]
    with here().lock:
        stored = _store(cloud, public_id, data)
    return jsonify(_shown(cloud, public_id, stored, width, height, len(data)))


@service.post("/v1_1/<cloud>/image/destroy")
def destroy(cloud: str) -> ResponseReturnValue:
    """Remove a picture."""
    if (refused := _unsigned()) is not None:
        return refused
    public_id = request.form.get("public_id")
    if not public_id:
        return _error(400, "Missing required parameter - public_id")
    with here().lock:
        found = _pictures().pop((cloud, public_id), None)
    return jsonify(result="ok" if found else "not found")


@service.get("/<cloud>/image/upload/v<int:version>/<path:name>")
def serve(cloud: str, version: int, name: str) -> ResponseReturnValue:
    """The picture itself."""
    found = _pictures().get((cloud, name.rpartition(".")[0]))
    if found is None:
        return Response("Resource not found", 404, mimetype="text/plain")
    return Response(here().shelf.get(found.shelf_name), mimetype=found.mime)


def _pictures() -> dict[tuple[str, str], _Stored]:
    kept: Any = here().kept.setdefault(NAME, {})
    found: dict[tuple[str, str], _Stored] = kept
    return found


def _store(cloud: str, public_id: str, data: bytes) -> _Stored:
    before = _pictures().get((cloud, public_id))
    version = max(int(here().clock()), before.version + 1 if before else 0)
    with Image.open(io.BytesIO(data)) as image:
        mime = Image.MIME.get(image.format or "", "application/octet-stream")
    stored = _Stored(here().shelf.put(data), mime, version)
    _pictures()[cloud, public_id] = stored
    return stored


def _shown(
    cloud: str, public_id: str, stored: _Stored, width: int, height: int, size: int
) -> dict[str, Any]:
    suffix = stored.mime.rpartition("/")[2].replace("jpeg", "jpg")
    path = f"/{NAME}/{cloud}/image/upload/v{stored.version}/{public_id}.{suffix}"
    return {
        "asset_id": stored.shelf_name[:32],
        "public_id": public_id,
        "version": stored.version,
        "signature": _signed(f"public_id={public_id}&version={stored.version}", 40),
        "width": width,
        "height": height,
        "format": suffix,
        "resource_type": "image",
        "bytes": size,
        "type": "upload",
        "url": address(path),
        # Nobody on loopback has a certificate.
        "secure_url": address(path),
    }


# Who may.


def _unsigned() -> Response | None:
    """Why the request is not let in; None when it is."""
    if _is_basic():
        return None
    form = request.form
    if form.get("api_key") != KNOWN:
        return _error(401, f"Unknown API key {form.get('api_key', '')}".strip())
    age = here().clock() - float(form.get("timestamp", "0") or 0)
    if abs(age) > VALID_SECONDS:
        return _error(400, "Stale request - reported time is more than 1 hour ago")
    fields = sorted((k, v) for k, v in form.items() if v and k not in UNSIGNED)
    text, given = "&".join(f"{k}={v}" for k, v in fields), form.get("signature", "")
    if not hmac.compare_digest(_signed(text, len(given)), given):
        # The string that was to be signed is in the real answer, too.
        return _error(401, f"Invalid Signature {given}. String to sign - '{text}'.")
    return None


def _signed(text: str, length: int) -> str:
    digest = DIGESTS.get(length, hashlib.sha1)
    return digest((text + KNOWN).encode(), usedforsecurity=False).hexdigest()


def _is_basic() -> bool:
    given = request.authorization
    return given is not None and (given.username, given.password) == (KNOWN, KNOWN)


def _refusal(befallen: Fault) -> Response:
    statuses = {"limit": 420, "quota": 420}
    answer = refusals.told_to_wait(_error(500, refusals.WORDS[befallen.kind]), befallen)
    answer.status_code = statuses.get(befallen.kind, answer.status_code)
    return answer


def _error(status: int, said: str) -> Response:
    answer = jsonify(error={"message": said})
    answer.status_code = status
    answer.headers["X-Cld-Error"] = said.encode("ascii", "replace").decode()[:200]
    return answer
