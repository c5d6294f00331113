"""Files to pixels and back. Pixels are rows x columns x RGB, 8 bits each."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, PngImagePlugin

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.floating[Any]]
"""Rows x columns, 0 to 1."""

LARGEST_PIXELS = 100_000_000
SOFTWARE = "Darkroom sandbox"
_SOFTWARE_TAG = 0x0131
MIMES: Mapping[str, str] = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


# Ultralytics, where it is loaded, makes `Image.open` ask for a HEIC reader after a refusal.
BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError, ModuleNotFoundError)


class Unreadable(Exception):
    """This is no picture, or one that is too large."""


def opened(data: bytes) -> Pixels:
    """The pixels of a file, upright and without transparency. Raises `Unreadable`."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > LARGEST_PIXELS:
                raise Unreadable("too large")
            upright = ImageOps.exif_transpose(image)
            flat = Image.new("RGBA", upright.size, "white")
            flat.alpha_composite(upright.convert("RGBA"))
            return np.asarray(flat.convert("RGB"))
    except BROKEN as error:
        raise Unreadable(str(error)) from error


def transparency(data: bytes) -> Mask:
    """How opaque each pixel of a file is. Raises `Unreadable`."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            alpha = np.asarray(image.convert("RGBA"))[..., 3]
    except BROKEN as error:
        raise Unreadable(str(error)) from error
    return alpha.astype(np.float32) / 255


def saved(pixels: Pixels, kind: str = "PNG", quality: int = 92) -> bytes:
    """A file of the pixels, signed in its metadata as the sandbox's. `kind`: PNG, JPEG or WEBP."""
    image, file = Image.fromarray(pixels), io.BytesIO()
    if kind == "PNG":
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Software", SOFTWARE)
        image.save(file, "PNG", pnginfo=notes, compress_level=3)
    else:
        exif = Image.Exif()
        exif[_SOFTWARE_TAG] = SOFTWARE
        image.save(file, kind, quality=quality, exif=exif)
    return file.getvalue()


def clipped(values: Any) -> Pixels:
    """Values as pixels; what is too dark or too bright is as dark or bright as can be."""
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """The picture at exactly that size; what does not fit is cut off, around the middle."""
    if pixels.shape[:2] == (height, width):
        return pixels
    fitted = ImageOps.fit(Image.fromarray(pixels), (width, height), Image.Resampling.LANCZOS)
    return np.asarray(fitted)


def padded(pixels: Pixels, width: int, height: int, colour: tuple[int, int, int]) -> Pixels:
    """The whole picture at exactly that size, on a ground of that colour."""
    image = Image.fromarray(pixels)
    method = Image.Resampling.LANCZOS
    return np.asarray(ImageOps.pad(image, (width, height), method, color=colour))
