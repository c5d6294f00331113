"""Training tiles cut from a photo, as the sliced detector sees it: pure.

A tile is a square of the photo; a plant belongs to it when its middle does, and its box is cut to
the tile. Containers that hold plants nobody marked are painted over, for a network would learn from
them that plants are floor.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np

from darkroom.counting.geometry import Bytes, Floats, centres

GREY = (114, 114, 114)
"""What YOLO pads with."""
PLANTS_A_TILE = 3.0
"""Sides of a plant that a tile holds at least."""
SMALLEST = 4.0
"""Pixels that a box cut off by its tile's edge has to keep on its longer side."""


@dataclass(frozen=True)
class Tile:
    """A part of a photo: x1 ≤ x < x2, y1 ≤ y < y2."""

    x1: int
    y1: int
    x2: int
    y2: int

    def of(self, photo: Bytes) -> Bytes:
        """This part of the photo, as a view."""
        return photo[self.y1 : self.y2, self.x1 : self.x2]


def tiles(outline: Floats, side: int, shape: tuple[int, int]) -> Iterator[Tile]:
    """Tiles that cover a container's outline (P, 2), as few as do and evenly spread.

    `shape` is the photo's (height, width); tiles at its edge are smaller.
    """
    low = np.floor(outline.min(axis=0)).clip(0).astype(int)
    high = np.ceil(outline.max(axis=0)).clip(0, shape[::-1]).astype(int)
    for y in _starts(int(low[1]), int(high[1]), side):
        for x in _starts(int(low[0]), int(high[0]), side):
            yield Tile(x, y, min(x + side, shape[1]), min(y + side, shape[0]))


def side_for(boxes: Floats, slice_size: int) -> int:
    """The side of tiles: a slice of the detector, or more where plants are large."""
    if not len(boxes):
        return slice_size
    typical = float(np.median((boxes[:, 2:] - boxes[:, :2]).max(axis=1)))
    return max(slice_size, ceil(PLANTS_A_TILE * typical))


def rows(tile: Tile, boxes: Floats, classes: Sequence[int]) -> list[tuple[float, ...]]:
    """YOLO's rows of a tile: class, middle x and y, width and height, as shares of the tile.

    `boxes` (N, 4) are x1, y1, x2, y2 in the photo, and `classes` (N,) their numbers.
    """
    low, high = np.array([tile.x1, tile.y1]), np.array([tile.x2, tile.y2])
    middles = centres(boxes)
    inside = ((middles >= low) & (middles < high)).all(axis=1)
    cut = np.hstack([boxes[:, :2].clip(low, high), boxes[:, 2:].clip(low, high)]) - np.tile(low, 2)
    found = []
    for place in np.flatnonzero(inside).tolist():
        size = cut[place, 2:] - cut[place, :2]
        if size.max() >= SMALLEST:
            share = [*(cut[place, :2] + size / 2) / (high - low), *size / (high - low)]
            found.append((classes[place], *(float(value) for value in share)))
    return found


def painted_over(photo: Bytes, outlines: Sequence[Floats]) -> Bytes:
    """The photo without what lies in these outlines (P, 2) each."""
    painted = photo.copy() if len(outlines) else photo
    for outline in outlines:
        cv2.fillPoly(painted, [np.round(outline).astype(np.int32)], GREY)
    return painted


def _starts(low: int, high: int, side: int) -> list[int]:
    count = max(1, ceil((high - low) / side))
    return [int(start) for start in np.linspace(low, max(low, high - side), count).round()]
