"""Files that come with a request: a part of a form, or base64 or a data URL inside JSON."""

import base64
import binascii
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask import request

from darkroom.errors import Invalid
from darkroom.gated.uploads import storing
from darkroom.media import sound
from darkroom.media.requests import Received
from darkroom.media.sound import Media
from darkroom.storage import assets, images, uploads
from darkroom.storage.assets import StoredFile
from darkroom.storage.uploads import Incoming, Upload
from darkroom.web.services import services

Json = dict[str, Any]

SUFFIXES = {
    images.JPEG: "jpg",
    images.PNG: "png",
    images.WEBP: "webp",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "audio/mp4": "m4a",
    "audio/webm": "weba",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
}
FORM = "multipart/form-data"
JSON_BYTES = 256 * 1024 * 1024
TAKING = frozenset(
    f"{service}{kind}"
    for service in ("generation", "enhancing", "faces", "portraits", "subtitles", "videos")
    for kind in ("", "_api")
)
"""The blueprints that take files."""
_KINDS = {"mp4": "mp4", "webm": "webm", "wav": "wav", "mp3": "mpeg", "flac": "flac", "ogg": "ogg"}
_UNKNOWN = "application/octet-stream"


@dataclass
class Inline:
    """A file that came inside JSON."""

    filename: str
    stream: io.BytesIO


def set_limits() -> None:
    """Before every call: how much of it may be sent to a media service.

    Comes before whatever else reads a body: the look for a page's token, and for a repetition.
    """
    if request.blueprint not in TAKING:
        return
    most = services().settings.media.max_bytes
    # All but a form's files is read into memory whole.
    request.max_content_length = most if request.mimetype == FORM else min(most, JSON_BYTES)


def body() -> Json:
    """The fields of a request, whether they come as JSON or as a form."""
    if request.mimetype == FORM:
        return dict(request.form.items())
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise Invalid(
            "Send a JSON object with Content-Type: application/json, or a multipart form.",
            code="not_json",
        )
    return sent


def part(sent: Mapping[str, Any], field: str, *, optional: bool = False) -> Incoming | None:
    """The file of a field: None only where it is optional and was not sent.

    Raises
    ------
    Invalid
        When it is missing, or its text is no base64.
    """
    file = request.files.get(field)
    if file is not None and file.filename:
        return file
    given = sent.get(field)
    if given in (None, ""):
        if optional:
            return None
        raise Invalid(
            f"{field} is missing: send a file in that part of a form, or base64 in JSON.",
            field,
            code="missing",
        )
    return Inline(field, io.BytesIO(decoded(given, field)))


def decoded(given: object, field: str) -> bytes:
    """The bytes of base64 text, or of a data URL; `Invalid` where it is neither."""
    wrong = Invalid(f"{field} must be base64 or a data URL.", field, code="not_base64")
    if not isinstance(given, str):
        raise wrong
    text = given.partition(",")[2] if given.startswith("data:") else given
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise wrong from None


def picture(file: Incoming | None, role: str, field: str) -> Received:
    """Check and store a picture: JPEG, PNG or WebP. Call it outside of any transaction.

    Raises
    ------
    Invalid, Transient
        When it is not one that can be used, or the storage is away. Nothing is kept then.
    """
    chosen = services().settings
    most = chosen.max_upload_bytes
    with uploads.received(file, chosen.temp_dir, max_bytes=most, field=field) as upload:
        name = "" if isinstance(file, Inline) else upload.filename
        info = images.inspect(upload.path, name, max_pixels=chosen.max_pixels, field=field)
        stored = _stored(upload, info.mime, (info.width, info.height))
    return Received(role, name, stored)


def media(file: Incoming | None, role: str, field: str) -> Received:
    """Check and store a sound or video file; as `picture` otherwise."""
    chosen = services().settings
    most = chosen.media.max_bytes
    with uploads.received(file, chosen.temp_dir, max_bytes=most, field=field) as upload:
        try:
            seen = sound.look_at(upload.path)
        except Invalid as error:
            raise Invalid(error.message, field, code=error.code) from error
        stored = _stored(upload, mime_of(seen))
    name = "" if isinstance(file, Inline) else upload.filename
    return Received(role, name, stored, seen)


def mime_of(seen: Media) -> str:
    """The type of a sound or video file as browsers know it; `octet-stream` for what none plays."""
    names = seen.container.split(",")
    kind = next((_KINDS[name] for name in names if name in _KINDS), None)
    found = f"{'video' if seen.picture else 'audio'}/{kind}"
    return found if found in SUFFIXES else _UNKNOWN


def _stored(upload: Upload, mime: str, pixels: tuple[int, int] | None = None) -> StoredFile:
    found = services()
    key = f"media/{uuid4()}.{SUFFIXES.get(mime, 'bin')}"
    with storing(found.database, found.settings.gates.breaker):
        return assets.put(found.store, upload.path, mime=mime, key=key, pixels=pixels)
