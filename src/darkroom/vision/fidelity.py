"""Whether an enlarged picture still shows what was enlarged.

Networks invent detail, smooth noise and sharpen edges, but they leave the colour of a place as it
is. So both pictures are compared as grids of cells of some pixels of the small one.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Permanent
from darkroom.vision import resample

Floats = NDArray[np.float32]

CELL = 8
"""Pixels of the small picture along the side of a cell."""
LOWEST_PSNR = 20.0
"""Decibels. Photos were found to have 37 or more, drawn patterns and noise mostly 25 or more."""
FARTHEST = 0.3
"""What a single cell may differ by, of 0 to 1; photos were found to stay below 0.06."""
FAINT = 0.03
"""What a picture's pixels may differ by, of 0 to 1, without anything being seen: a network may make
one plain colour of the noise of a video that fades to black."""


def insist_alike(picture: NDArray[Any], enlarged: NDArray[Any]) -> float:
    """The PSNR of both pictures' cells, in decibels; both (H, W, C) of the same type.

    Raises
    ------
    Permanent
        When the enlarged one is flat and the other shows something, or it shows something else.
    """
    if _is_flat(enlarged) and _spread(picture) > FAINT:
        raise Permanent("The enlarged picture came out flat.")
    apart = np.abs(cells(picture, picture) - cells(enlarged, picture))
    found = float(-10 * np.log10(max(np.square(apart).mean(), 1e-10)))
    if found < LOWEST_PSNR or apart.max() > FARTHEST:
        raise Permanent(
            f"The enlarged picture is not the one that was given ({found:.0f} dB, "
            f"{apart.max():.0%} at one place)."
        )
    return found


def cells(pixels: NDArray[Any], small: NDArray[Any]) -> Floats:
    """Mean colours of 0 to 1, on the grid of cells of the small picture."""
    height, width = (max(1, length // CELL) for length in small.shape[:2])
    size = width, height
    rows = [
        resample.resampled(pixels, size, range(row, row + 1), resample.BOX) for row in range(height)
    ]
    return np.concatenate(rows) / np.float32(np.iinfo(pixels.dtype).max)


def _spread(pixels: NDArray[Any]) -> float:
    """How far apart the pixels are in some channel, of 0 to 1."""
    return float(np.ptp(pixels, axis=(0, 1)).max()) / np.iinfo(pixels.dtype).max


def _is_flat(pixels: NDArray[Any]) -> bool:
    first = pixels[0, 0]
    return all(
        bool((pixels[rows.start : rows.stop] == first).all())
        for rows in resample.bands(len(pixels))
    )
