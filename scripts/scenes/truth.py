"""What a generated photo is known to hold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

KINDS = ("plug", "box", "segment")


@dataclass(frozen=True)
class Plant:
    """A plant whose centre lies inside the photo; `box` x1, y1, x2, y2 is clipped to the frame."""

    centre: tuple[float, float]
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Container:
    """One tray, crate or block of pots; `polygon` is (P, 2) pixels, clipped to the frame."""

    kind: str
    polygon: Floats


@dataclass(frozen=True)
class Photo:
    """An RGB image (H, W, 3) with its truth. A plant counts when its centre is in the frame."""

    image: Image
    plants: tuple[Plant, ...]
    containers: tuple[Container, ...]


def hull_plant(outline: Floats, centre: Floats, size: tuple[int, int]) -> Plant | None:
    """The plant with this outline (P, 2), or None where its centre is outside the (W, H) frame."""
    width, height = size
    x, y = float(centre[0]), float(centre[1])
    if not (1 <= x < width - 1 and 1 <= y < height - 1):
        return None
    low = np.maximum(outline.min(axis=0), 0)
    high = np.minimum(outline.max(axis=0), (width, height))
    return Plant((x, y), (float(low[0]), float(low[1]), float(high[0]), float(high[1])))
