"""The media library: files taken in, thumbnails made, found again, served.

https://developer.wordpress.org/rest-api/reference/media/
"""

import hashlib
import io
import re
from dataclasses import dataclass
from typing import Any

from flask import request
from PIL import Image

from darkroom.sandbox.pictures.pixels import Unreadable, opened, resized, saved
from darkroom.sandbox.services.wordpress.site import SCALED, Json, Media, Site, now
from darkroom.sandbox.state import Sandbox, address

KINDS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
NAMES = {"jpg", "jpeg", "png", "webp", "gif", "avif"}
FIELDS = ("title", "alt_text", "caption")
_IMAGE_DESCRIPTION = 0x010E


class Rejected(Exception):
    """A file that is not taken, with the status and the code of the answer."""

    def __init__(self, status: int, code: str, said: str) -> None:
        super().__init__(said)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Sent:
    """A file as it came."""

    filename: str
    mime: str
    data: bytes
    fields: dict[str, str]

    @property
    def post(self) -> int | None:
        """The post that it belongs to."""
        said = self.fields.get("post", "")
        return int(said) if said.isdecimal() else None


def read() -> Sent:
    """The file of the request, raw or in a form. Raises `Rejected`."""
    sent = _from_form() if request.files else _from_body()
    wanted = request.headers.get("Content-MD5", "").strip()
    # In lower case only: that is what PHP's md5_file gives.
    if wanted and wanted != hashlib.md5(sent.data, usedforsecurity=False).hexdigest():
        raise Rejected(412, "rest_upload_hash_mismatch", "Content hash did not match expected.")
    if sent.filename.rpartition(".")[2].lower() not in NAMES:
        said = "Sorry, you are not allowed to upload this file type."
        raise Rejected(500, "rest_upload_unknown_error", said)
    return sent


def add(sandbox: Sandbox, site: Site, sent: Sent) -> Media:
    """Take a file into the library, without thumbnails yet. Raises `Rejected`."""
    if sent.post is not None and not site.holds(sent.post):
        said = "Sorry, you are not allowed to upload media to this post."
        raise Rejected(403, "rest_cannot_edit", said)
    try:
        height, width = opened(sent.data).shape[:2]
    except Unreadable as error:
        said = "The uploaded file is no picture."
        raise Rejected(500, "rest_upload_unknown_error", said) from error
    caption = sent.fields.get("caption") or _caption(sent.data)
    with sandbox.lock:
        filename = site.free_name(sent.filename)
        media = Media(
            id=site.new_id(),
            filename=filename,
            mime=sent.mime,
            width=width,
            height=height,
            shelf_name=sandbox.shelf.put(sent.data),
            uploaded=now(sandbox),
            title=sent.fields.get("title") or caption or filename.rpartition(".")[0],
            alt_text=sent.fields.get("alt_text", ""),
            caption=caption,
            post=sent.post,
        )
        site.media[media.id] = media
    return media


def make_sizes(media: Media) -> None:
    """Note the thumbnails as made; they are drawn when somebody looks."""
    media.sizes = dict(media.wanted)


def search(site: Site, text: str) -> list[Media]:
    """The files whose title or name holds all words, newest first."""
    words = text.lower().split()
    found = [
        each
        for each in site.media.values()
        if all(word in f"{each.title} {each.stored_name} {each.caption}".lower() for word in words)
    ]
    return sorted(found, key=lambda each: -each.id)


def serve(sandbox: Sandbox, site: Site, name: str) -> tuple[bytes, str] | None:
    """The bytes and the type of a file's name, also of a thumbnail's; None for no such file."""
    for media in site.media.values():
        if name in {media.filename, media.stored_name}:
            return sandbox.shelf.get(media.shelf_name), media.mime
        for width, height in media.sizes.values():
            if name == media.sized(f"{width}x{height}"):
                small = resized(opened(sandbox.shelf.get(media.shelf_name)), width, height)
                return saved(small, KINDS.get(media.mime, "PNG")), media.mime
    return None


def shown(site: Site, media: Media, *, edit: bool) -> Json:
    """A file as the API shows it."""
    base = address(f"/wordpress/{site.name}/wp-content/uploads/{media.folder}")
    sizes = {
        name: _size(base, media.sized(f"{width}x{height}"), width, height, media.mime)
        for name, (width, height) in media.sizes.items()
    }
    scale = min(1.0, SCALED / max(media.width, media.height))
    details = {
        "width": round(media.width * scale),
        "height": round(media.height * scale),
        "file": f"{media.folder}/{media.stored_name}",
        "sizes": sizes,
    }
    record = {
        "id": media.id,
        "date": media.uploaded.strftime("%Y-%m-%dT%H:%M:%S"),
        "slug": media.filename.rpartition(".")[0].lower(),
        "status": "inherit",
        "type": "attachment",
        "link": address(f"/wordpress/{site.name}/?attachment_id={media.id}"),
        "title": _text(media.title, edit),
        "caption": _text(media.caption, edit),
        "alt_text": media.alt_text,
        "media_type": "image",
        "mime_type": media.mime,
        "media_details": details,
        "post": media.post,
        "source_url": f"{base}/{media.stored_name}",
    }
    return {**record, "missing_image_sizes": media.missing} if edit else record


def _size(base: str, name: str, width: int, height: int, mime: str) -> Json:
    url = f"{base}/{name}"
    return {"file": name, "width": width, "height": height, "mime_type": mime, "source_url": url}


def _text(text: str, edit: bool) -> Json:
    return {"raw": text, "rendered": text} if edit else {"rendered": text}


def _from_form() -> Sent:
    file = request.files.get("file")
    if file is None:
        raise Rejected(400, "rest_upload_no_data", "No data supplied.")
    return Sent(file.filename or "", file.mimetype, file.read(), request.form.to_dict())


def _from_body() -> Sent:
    data = request.get_data()
    if not data:
        raise Rejected(400, "rest_upload_no_data", "No data supplied.")
    if not request.content_type:
        raise Rejected(400, "rest_upload_no_content_type", "No Content-Type supplied.")
    said = request.headers.get("Content-Disposition", "")
    if not said:
        missing = "No Content-Disposition supplied."
        raise Rejected(400, "rest_upload_no_content_disposition", missing)
    found = re.search(r'attachment\s*;.*?filename="?([^";]+)"?', said)
    if found is None:
        wrong = (
            "Invalid Content-Disposition supplied. Content-Disposition needs to be formatted as "
            '`attachment; filename="image.png"` or similar.'
        )
        raise Rejected(400, "rest_upload_invalid_disposition", wrong)
    fields = {name: request.args[name] for name in (*FIELDS, "post") if name in request.args}
    return Sent(found[1], request.mimetype, data, fields)


def _caption(data: bytes) -> str:
    """What a picture's metadata says it shows: WordPress makes its caption of that."""
    with Image.open(io.BytesIO(data)) as image:
        said: Any = image.getexif().get(_IMAGE_DESCRIPTION, "")
    return str(said).strip()
