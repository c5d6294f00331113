"""Files of the local store, behind signed addresses that expire.

Whoever has the address may read the file until it expires, as with a bucket's presigned URLs.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Blueprint, Response, request, send_file
from flask.typing import ResponseReturnValue

from darkroom.errors import Invalid, NotFound
from darkroom.storage import assets
from darkroom.storage.local import PREFIX, LocalStore
from darkroom.storage.store import checked_key
from darkroom.web.services import services

pages = Blueprint("files", __name__, url_prefix=PREFIX)

# Shown in the page; anything else is only ever saved.
SHOWN = frozenset(
    {
        *("image/jpeg", "image/png", "image/webp", "image/avif"),
        *("video/mp4", "video/webm", "audio/mp4", "audio/webm", "audio/wav", "audio/mpeg"),
        *("audio/flac", "audio/ogg"),
    }
)


@pages.get("/<path:key>")
def send(key: str) -> ResponseReturnValue:
    """Send a file, whole or in ranges, to whoever has its signed address."""
    store = services().store
    if not isinstance(store, LocalStore):
        raise NotFound("Files are not served from here.")
    expires, filename = _checked_link(store, checked_key(key))
    with services().database.session() as db:
        asset = assets.find(db, store.bucket, key)
    mime = asset.mime if asset else "application/octet-stream"
    response = send_file(
        Path(store.open(key).name),
        mimetype=mime,
        as_attachment=filename is not None or mime not in SHOWN,
        download_name=filename or Path(key).name,
        conditional=True,
        etag=asset.sha256 if asset else True,
    )
    return _kept_until(response, expires)


def _checked_link(store: LocalStore, key: str) -> tuple[int, str | None]:
    given = request.args.get("expires", "")
    expires = int(given) if given.isdecimal() and len(given) < 12 else 0
    filename = request.args.get("filename")
    signature = request.args.get("signature", "")
    if not store.verify(key, expires, signature, datetime.now(UTC), filename):
        raise Invalid("This link is not valid, or no longer. Open the page again.", status=403)
    return expires, filename


def _kept_until(response: Response, expires: int) -> Response:
    left = datetime.fromtimestamp(expires, UTC) - datetime.now(UTC)
    response.cache_control.private = True
    response.cache_control.no_cache = None
    response.cache_control.max_age = max(0, int(left / timedelta(seconds=1)))
    # Opened by itself, a stored file can run nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
