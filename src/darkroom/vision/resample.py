"""Pictures at another size, some rows at a time, so that large ones need not be in memory."""

from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

Filter = Image.Resampling
LANCZOS = Image.Resampling.LANCZOS
BICUBIC = Image.Resampling.BICUBIC
BOX = Image.Resampling.BOX

ROWS = 256
"""How many rows are best asked for at once."""
_REACH = {LANCZOS: 3, BICUBIC: 2, BOX: 1}
"""Pixels (of the smaller picture) that a filter looks to either side."""


def resampled(pixels: NDArray[Any], size: tuple[int, int], rows: range, filter: Filter) -> Floats:
    """Some of the rows of a picture (H, W, C) at another size (width, height), not rounded.

    They are just what they would be if all were made at once.
    """
    width, height = size
    scale = pixels.shape[0] / height
    reach = _REACH[filter] * max(scale, 1.0) + 1
    first = max(0, floor(rows.start * scale - reach))
    last = min(pixels.shape[0], ceil(rows.stop * scale + reach))
    box = (0, rows.start * scale - first, pixels.shape[1], rows.stop * scale - first)
    piece = np.asarray(pixels[first:last], np.float32)
    if (width, height) == pixels.shape[1::-1]:
        return piece[rows.start - first : rows.stop - first]
    planes = [
        Image.fromarray(np.ascontiguousarray(piece[..., plane])).resize(
            (width, len(rows)), filter, box
        )
        for plane in range(piece.shape[2])
    ]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], axis=-1)


def bands(height: int) -> list[range]:
    """All rows of a picture in ranges of `ROWS`."""
    return [range(start, min(start + ROWS, height)) for start in range(0, height, ROWS)]
