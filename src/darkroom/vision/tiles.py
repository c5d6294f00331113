"""Tiles of a picture that overlap, and pictures put together from enlarged tiles without seams.

Near its edges a tile lacks what lies around it. So neighbours overlap, and from one to the next the
picture is cross-faded in the middle of what they share.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
TileAt = Callable[[int, int], Floats]

OVERLAP = 24
FADE = 12
"""What neighbours share, and how much of that is cross-faded, in pixels of the small picture."""


@dataclass(frozen=True)
class Axis:
    """How tiles lie along one side of a picture.

    Attributes
    ----------
    length : of the side, pixels
    side : of every tile
    starts : where the tiles begin
    """

    length: int
    side: int
    starts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.starts)

    def weights(self, index: int, factor: int) -> Floats:
        """How much a tile counts at each of its enlarged pixels (side · factor): 0 to 1.

        At every pixel of the picture those of all tiles add up to 1.
        """
        places = self.starts[index] + (np.arange(self.side * factor) + 0.5) / factor
        here = self._rise(index, places) * (1 - self._rise(index + 1, places))
        return np.asarray(here, np.float32)

    def _rise(self, index: int, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the tile has taken over from the one before it: 0 before, 1 behind."""
        if index == 0:
            return np.ones_like(places)
        if index == len(self.starts):
            return np.zeros_like(places)
        middle = (self.starts[index] + self.starts[index - 1] + self.side) / 2
        return ((places - middle) / FADE + 0.5).clip(0, 1)


def lay(length: int, largest: int) -> Axis:
    """As few tiles as cover `length` pixels, none of them larger than need be.

    `largest` must be at least twice `OVERLAP`.
    """
    count = max(1, ceil((length - OVERLAP) / (largest - OVERLAP)))
    side = ceil((length + (count - 1) * OVERLAP) / count)
    starts = np.linspace(0, length - side, count).round().astype(int)
    return Axis(length, side, tuple(starts.tolist()))


def blended(rows: Axis, columns: Axis, factor: int, tile_at: TileAt) -> Iterator[Floats]:
    """The enlarged picture in strips (some rows, length · factor, C) of 0 to 1, from the top.

    Only one row of tiles is in memory. `tile_at(row, column)` is asked for each tile once, enlarged
    to (side · factor, side · factor, C).
    """
    carried: Floats | None = None
    ends = (*rows.starts[1:], rows.length)
    for row, (start, end) in enumerate(zip(rows.starts, ends, strict=True)):
        band = _band(row, rows, columns, factor, tile_at)
        if carried is not None:
            band[: len(carried)] += carried
        done = (end - start) * factor
        carried = band[done:].copy()
        yield band[:done]


def _band(row: int, rows: Axis, columns: Axis, factor: int, tile_at: TileAt) -> Floats:
    """One row of tiles beside each other, faded out where the next row of them takes over."""
    down = rows.weights(row, factor)[:, None, None]
    band: Floats | None = None
    for column, start in enumerate(columns.starts):
        tile = tile_at(row, column)
        if band is None:
            shape = rows.side * factor, columns.length * factor, tile.shape[2]
            band = np.zeros(shape, np.float32)
        across = columns.weights(column, factor)[None, :, None]
        at = start * factor
        band[:, at : at + tile.shape[1]] += tile * across * down
    assert band is not None
    return band
