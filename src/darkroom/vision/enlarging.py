"""One picture on its way through a super-resolution network, tile by tile."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Transient
from darkroom.vision.batching import is_out_of_memory
from darkroom.vision.esrgan import FACTOR, Network
from darkroom.vision.runtime import empty_device_cache
from darkroom.vision.tiles import Axis, blended, lay

Floats = NDArray[np.float32]
Told = Callable[[int, int], None]
Stop = Callable[[], None]

BORDER = 10
"""Pixels by which a picture is mirrored at its edges, beyond which a network sees nothing."""
SMALLEST = 64
"""The side of the smallest tiles."""


class Enlargement:
    """Enlarges one picture (H, W, C) of grey or RGB, of whole numbers.

    Parameters
    ----------
    told : called with (tiles done, tiles planned) after each
    stop : called before each tile; raises to stop
    """

    def __init__(self, network: Network, pixels: NDArray[Any], told: Told, stop: Stop) -> None:
        self._network = network
        self._pixels = pixels
        self._told, self._stop = told, stop
        self._rows, self._columns = (_axis(length, network) for length in pixels.shape[:2])
        self._side = network.side
        self.tiles = 0

    def strips(self) -> Iterator[Floats]:
        """The enlarged picture from the top, some rows (N, 4 W, 3) at a time, of 0 to 1.

        Raises
        ------
        Transient
            When the device's memory does not hold even the smallest tile.
        """
        edge = BORDER * FACTOR
        skipped, left = edge, self._pixels.shape[0] * FACTOR
        for strip in blended(self._rows, self._columns, FACTOR, self._tile_at):
            shown = strip[skipped : skipped + left, edge:-edge]
            skipped, left = max(0, skipped - len(strip)), left - len(shown)
            yield shown

    def _tile_at(self, row: int, column: int) -> Floats:
        self._stop()
        tile = self._enlarged(self._window(row, column))
        self.tiles += 1
        self._told(self.tiles, len(self._rows) * len(self._columns))
        return tile

    def _window(self, row: int, column: int) -> Floats:
        """What a tile shows, in colours of 0 to 1; beyond its edges the picture is mirrored."""
        places = zip((self._rows, self._columns), (row, column), self._pixels.shape, strict=False)
        down, across = (_mirrored(axis, index, length) for axis, index, length in places)
        window = self._pixels[np.ix_(down, across)].astype(np.float32)
        window /= np.iinfo(self._pixels.dtype).max
        return np.ascontiguousarray(np.broadcast_to(window, (*window.shape[:2], 3)))

    def _enlarged(self, window: Floats) -> Floats:
        """The window enlarged: in one go, or in parts where the device's memory is too small."""
        longest = max(window.shape[:2])
        if longest > self._side:
            return self._in_parts(window)
        try:
            return self._network.run(window)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if longest <= SMALLEST:
                raise Transient("The device's memory is too full for the smallest tile.") from error
        # Only here are the tensors free that the error's traceback held.
        empty_device_cache()
        self._side = max(SMALLEST, longest // 2)
        return self._enlarged(window)

    def _in_parts(self, window: Floats) -> Floats:
        rows, columns = (lay(length, self._side) for length in window.shape[:2])

        def part(row: int, column: int) -> Floats:
            top, left = rows.starts[row], columns.starts[column]
            inner = window[top : top + rows.side, left : left + columns.side]
            return self._enlarged(np.ascontiguousarray(inner))

        return np.concatenate([strip.copy() for strip in blended(rows, columns, FACTOR, part)])


def _axis(length: int, network: Network) -> Axis:
    return lay(length + 2 * BORDER, network.side)


def _mirrored(axis: Axis, index: int, length: int) -> NDArray[np.int64]:
    """The pixels of a side of `length` that a tile shows, mirrored at both ends."""
    places = np.arange(axis.side) + axis.starts[index] - BORDER
    turn = max(1, 2 * (length - 1))
    folded = places % turn
    return np.minimum(np.minimum(folded, turn - folded), length - 1)
