"""Reduced pictures for lists, made when they are asked for; browsers keep them."""

from pathlib import Path

from darkroom.settings import Settings
from darkroom.storage import images, temporary
from darkroom.storage.assets import Asset
from darkroom.storage.store import Store

SIDE = 480
QUALITY = 82
MIME = images.JPEG


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
