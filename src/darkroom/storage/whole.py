"""Pictures with all that their files hold: transparency, 16 bits a channel, grey as grey.

`images` gives a picture as it is shown. What comes back changed, but no poorer, goes this way.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom.errors import Permanent
from darkroom.storage import images
from darkroom.storage.images import JPEG, PNG, WEBP

Pixels = NDArray[Any]
"""A picture (H, W), or (H, W, 2 to 4): grey or RGB, with or without alpha, of 8 or 16 bits."""

_LONGEST = {JPEG: 65_500, WEBP: 16_383}
"""Pixels along a side that a type can hold, where that is few."""
_DEPTH_AT = 24


def load(path: Path, *, max_pixels: int) -> Pixels:
    """The pixels of a JPEG, PNG or WebP file, upright, with the channels and bits that it has.

    A palette, and every other kind of colour, becomes RGB; grey with alpha and 16 bits becomes RGB
    with alpha.

    Raises
    ------
    Invalid
        As `images.inspect` does, but for the name.
    """
    info = images.inspect(path, "", max_pixels=max_pixels)
    stored = _deep(path) if info.mime == PNG and _depth(path) == 16 else _shallow(path)
    return images.upright(stored, info.exif)


def save(pixels: Pixels, to: Path, mime: str, *, quality: int) -> None:
    """Write pixels as a file of their own bits, without any metadata; 16 bits need PNG."""
    if pixels.dtype == np.uint8:
        return images.save(pixels, to, mime, quality=quality)
    orders = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    order = orders.get(pixels.shape[2]) if pixels.ndim == 3 else None
    is_written, data = cv2.imencode(
        ".png", pixels if order is None else cv2.cvtColor(pixels, order)
    )
    if not is_written:
        raise Permanent("The picture could not be written as PNG.")
    data.tofile(to)


def kept_type(mime: str, pixels: Pixels) -> str:
    """The type a changed picture is written as: that of its file, where it holds so long a side."""
    longest = _LONGEST.get(mime)
    return mime if longest is None or max(pixels.shape[:2]) <= longest else PNG


def _depth(path: Path) -> int:
    """The bits a channel of a PNG file."""
    with path.open("rb") as file:
        file.seek(_DEPTH_AT)
        return file.read(1)[0]


def _deep(path: Path) -> Pixels:
    """Pillow would give eight of sixteen bits."""
    found = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise Permanent("The picture could not be read with its 16 bits.")
    orders = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
    return found if found.ndim == 2 else cv2.cvtColor(found, orders[found.shape[2]])


def _shallow(path: Path) -> Pixels:
    with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as image:
        return np.asarray(image.convert(_mode(image)))


def _mode(image: Image.Image) -> str:
    is_grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        return "LA" if is_grey else "RGBA"
    return "L" if is_grey else "RGB"
