"""Whether a picture that a service made can be shown: it opens, is large enough, is not blank."""

from pathlib import Path

import numpy as np

from darkroom.errors import DarkroomError, Transient
from darkroom.storage import images
from darkroom.storage.images import Pixels

SMALLEST_SIDE = 256
BLANK = 2.0
"""Standard deviation of the brightness (0 to 255) below which nothing is to be seen."""
ALLOWED = (images.JPEG, images.PNG, images.WEBP)


class Wanting(Transient):
    """An answer that was bought and is of no use; another may be better."""

    code = "wanting"


def opened(path: Path, *, max_pixels: int) -> tuple[str, Pixels]:
    """The type and the pixels (H, W, 3) of a picture that is fit to be shown; else `Wanting`."""
    try:
        info = images.inspect(path, "", allowed=ALLOWED, max_pixels=max_pixels)
        pixels = images.load(path, max_pixels=max_pixels)
    except DarkroomError as error:
        raise Wanting(f"The answer is no picture that can be used: {error.message}") from error
    insist(pixels)
    return info.mime, pixels


def insist(pixels: Pixels) -> None:
    """`Wanting` unless the picture is large enough and shows something."""
    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise Wanting(f"The new picture is too small: {width} × {height} pixels.")
    if float(np.std(pixels.mean(axis=2))) < BLANK:
        raise Wanting("The new picture is blank.")
