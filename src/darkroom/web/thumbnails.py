"""Reduced pictures for lists, made when they are asked for; browsers keep them."""

from pathlib import Path

from flask import Response

from darkroom.settings import Settings
from darkroom.storage import images, temporary
from darkroom.storage.assets import Asset
from darkroom.storage.store import Store
from darkroom.web.services import services

SIDE = 480
QUALITY = 82
MIME = images.JPEG
KEPT_SECONDS = 30 * 24 * 3600
"""How long a browser keeps one; what is at its address never changes."""


def answer(asset: Asset) -> Response:
    """A stored picture, reduced, for a browser to keep; raises as `small`."""
    found = services()
    response = Response(small(found.settings, found.store, asset), mimetype=MIME)
    response.cache_control.private = True
    response.cache_control.max_age = KEPT_SECONDS
    response.cache_control.immutable = True
    return response


def small(settings: Settings, store: Store, asset: Asset) -> bytes:
    """A stored picture as a JPEG of at most `SIDE` pixels.

    Raises
    ------
    NotFound, Transient
        When the store has no such file, or does not answer.
    """
    with temporary.folder(settings.temp_dir) as folder:
        source, reduced = folder / "whole", folder / "small"
        store.fetch(asset.storage_key, source)
        _reduce(source, reduced, settings.max_pixels)
        return reduced.read_bytes()


def _reduce(source: Path, to: Path, max_pixels: int) -> None:
    pixels, _ = images.thumbnail(source, SIDE, max_pixels=max_pixels)
    images.save(pixels, to, MIME, quality=QUALITY)
