"""AVIF pictures larger than one coded frame should be: a grid of tiles, encoded one by one.

An AV1 encoder needs about 25 bytes a pixel, 2.5 GB for a photo of 100 megapixels, and the profiles
of AVIF end at 35 megapixels. A grid is the format's own way beyond that (ISO/IEC 23008-12, 6.6.2.3;
ISO/IEC 23000-22, 7.3.11.4.2). Pillow reads grids but writes none: so it encodes the tiles, and the
container around them is written here.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

LARGEST_FRAME = 1 << 24
"""Pixels that are encoded as one frame."""
SIDE = 2048
"""The longest side of a tile."""
MOST_TILES = 256
"""Along a side: the format counts them in a byte."""

_GRID = 1
_TILES_FROM = 2


@dataclass(frozen=True)
class _Layout:
    """A picture of `width` by `height` in rows and columns of tiles of one size."""

    width: int
    height: int

    @property
    def columns(self) -> int:
        return min(ceil(self.width / SIDE), MOST_TILES)

    @property
    def rows(self) -> int:
        return min(ceil(self.height / SIDE), MOST_TILES)

    @property
    def tile(self) -> tuple[int, int]:
        """Width and height of each tile: even, as subsampled chroma asks for."""
        across, down = self.width / self.columns, self.height / self.rows
        return 2 * ceil(across / 2), 2 * ceil(down / 2)

    def cut(self, pixels: Pixels) -> Iterator[Pixels]:
        """The tiles row by row; what lies beyond the picture repeats its edge."""
        width, height = self.tile
        for top in range(0, self.rows * height, height):
            for left in range(0, self.columns * width, width):
                part = pixels[top : top + height, left : left + width]
                missing = ((0, height - part.shape[0]), (0, width - part.shape[1]), (0, 0))
                yield (
                    np.pad(part, missing, mode="edge")
                    if part.shape[:2] != (height, width)
                    else part
                )


def save_grid(pixels: Pixels, to: Path, *, quality: int, speed: int) -> None:
    """Write RGB pixels (H, W, 3) as an AVIF grid, holding no more than a tile in memory twice.

    Parameters
    ----------
    quality, speed
        Of the encoder: 0 to 100, and 0 (smallest file) to 10.
    """
    layout = _Layout(pixels.shape[1], pixels.shape[0])
    # Subsampled chroma needs a picture of even sides.
    chroma = "4:4:4" if layout.width % 2 or layout.height % 2 else "4:2:0"
    options = {"quality": quality, "speed": speed, "subsampling": chroma}
    tiles = [_encoded(part, options) for part in layout.cut(pixels)]
    to.write_bytes(_container(layout, tiles))


def _encoded(tile: Pixels, options: dict[str, object]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(tile).save(file, "AVIF", **options)
    return file.getvalue()


# Reading a tile


def _boxes(data: bytes) -> dict[bytes, bytes]:
    """The boxes of a run of them by kind, headers included. Pillow writes each kind once."""
    found, place = {}, 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        found[kind] = data[place : place + size]
        place += size
    return found


def _properties(tile: bytes) -> dict[bytes, bytes]:
    meta = _boxes(_boxes(tile)[b"meta"][12:])
    return _boxes(_boxes(meta[b"iprp"][8:])[b"ipco"][8:])


# Writing the grid


def _container(layout: _Layout, tiles: Sequence[bytes]) -> bytes:
    properties = _properties(tiles[0])
    frames = [_boxes(tile)[b"mdat"][8:] for tile in tiles]
    start = _boxes(tiles[0])[b"ftyp"]
    items = [_grid(layout), *frames]
    # Offsets have a fixed width, so that the length of what precedes the data is known.
    before = len(start) + len(_meta(layout, properties, items, 0)) + 8
    return start + _meta(layout, properties, items, before) + _box(b"mdat", *items)


def _grid(layout: _Layout) -> bytes:
    counts = (layout.rows - 1, layout.columns - 1)
    return struct.pack(">BBBBII", 0, 1, *counts, layout.width, layout.height)


def _meta(
    layout: _Layout, properties: dict[bytes, bytes], items: Sequence[bytes], offset: int
) -> bytes:
    ids = range(_TILES_FROM, _TILES_FROM + len(items) - 1)
    return _full_box(
        b"meta",
        _full_box(b"hdlr", struct.pack(">I4s12xx", 0, b"pict")),
        _full_box(b"pitm", struct.pack(">H", _GRID)),
        _locations(items, offset),
        _kinds(ids),
        _full_box(b"iref", _box(b"dimg", struct.pack(f">HH{len(ids)}H", _GRID, len(ids), *ids))),
        _box(b"iprp", *_described(layout, properties, ids)),
    )


def _locations(items: Sequence[bytes], offset: int) -> bytes:
    rows = []
    for number, item in enumerate(items, start=_GRID):
        rows.append(struct.pack(">HHHII", number, 0, 1, offset, len(item)))
        offset += len(item)
    return _full_box(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)), *rows)


def _kinds(ids: Sequence[int]) -> bytes:
    grid = _full_box(b"infe", struct.pack(">HH4sx", _GRID, 0, b"grid"), version=2)
    hidden = [
        _full_box(b"infe", struct.pack(">HH4sx", number, 0, b"av01"), version=2, flags=1)
        for number in ids
    ]
    return _full_box(b"iinf", struct.pack(">H", 1 + len(ids)), grid, *hidden)


def _described(
    layout: _Layout, properties: dict[bytes, bytes], ids: Sequence[int]
) -> tuple[bytes, bytes]:
    """The properties, and which item has which: 1 to 3 are the grid's, 2 to 5 the tiles'."""
    whole = _full_box(b"ispe", struct.pack(">II", layout.width, layout.height))
    shared = [properties[kind] for kind in (b"pixi", b"colr", b"ispe", b"av1C")]
    essential = 0x80
    grid = struct.pack(">HB3B", _GRID, 3, 1, 2, 3)
    tiles = [struct.pack(">HB4B", number, 4, 4, 2, 3, 5 | essential) for number in ids]
    count = struct.pack(">I", 1 + len(ids))
    return _box(b"ipco", whole, *shared), _full_box(b"ipma", count, grid, *tiles)


def _box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


def _full_box(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)
