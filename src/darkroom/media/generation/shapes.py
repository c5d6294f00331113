"""The shape of a picture: the ratios that services make, and the exact size that was asked for."""

from math import log

import numpy as np
from PIL import Image

from darkroom.storage.images import Pixels

RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
"""Width to height, as the services name them."""
CLOSE = 0.03
"""A ratio this near (in log units) to the one asked for is as good: services round their sides."""

Size = tuple[int, int]


def proportion(ratio: str) -> float:
    """Width by height of a name in `RATIOS`."""
    wide, _, high = ratio.partition(":")
    return int(wide) / int(high)


def nearest(size: Size) -> str:
    """The name in `RATIOS` that comes closest to a width and height."""
    wanted = log(size[0] / size[1])
    return min(RATIOS, key=lambda ratio: abs(log(proportion(ratio)) - wanted))


def in_ratio(pixels: Pixels, ratio: str) -> Pixels:
    """The picture in about that ratio: as it is, or its middle."""
    height, width = pixels.shape[:2]
    if abs(log(width / height / proportion(ratio))) <= CLOSE:
        return pixels
    return _middle(pixels, proportion(ratio))


def in_size(pixels: Pixels, size: Size) -> Pixels:
    """The picture with exactly that width and height: its middle, enlarged or reduced."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    cut = _middle(pixels, size[0] / size[1])
    return np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.LANCZOS))


def _middle(pixels: Pixels, wanted: float) -> Pixels:
    """The largest part of that proportion in the middle of a picture."""
    height, width = pixels.shape[:2]
    wide, high = min(width, round(height * wanted)), min(height, round(width / wanted))
    left, top = (width - wide) // 2, (height - high) // 2
    return np.ascontiguousarray(pixels[top : top + high, left : left + wide])
