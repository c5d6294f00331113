"""Shapes and shares: ellipses in boxes, GeoJSON of masks, and sharing out whole numbers.

Pixel (row i, column j) covers the square [j, j+1) by [i, i+1). Boxes are rows x1, y1, x2, y2 in
that frame; polygons are arrays (P, 2) of x, y.
"""

from collections.abc import Iterator, Sequence
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
Position = tuple[float, float]
Ring = list[list[float]]
Ellipse = tuple[tuple[slice, slice], Bools]
"""The window of the frame that an ellipse lies in, and inside that window its pixels."""


class MultiPolygon(TypedDict):
    """A GeoJSON MultiPolygon: each polygon its outline and then its holes, as closed rings."""

    type: str
    coordinates: list[list[Ring]]


def largest_remainder(weights: Sequence[float] | Floats, total: int) -> list[int]:
    """Share out `total` in whole numbers, as near to the weights as whole numbers come.

    Hamilton's method: everyone gets the whole part of their quota, and what is left goes to the
    largest fractions (the earlier one on a tie). The shares add up to `total`, and each differs
    from its quota by less than one. Without any weight everything goes to the first.
    """
    given = np.asarray(weights, float)
    if not given.any():
        given = np.eye(len(given))[0]
    quotas = given / given.sum() * total
    shares = np.floor(quotas).astype(int)
    order = np.argsort(shares - quotas, kind="stable")
    shares[order[: total - int(shares.sum())]] += 1
    return [int(share) for share in shares]


def centres(boxes: Floats) -> Floats:
    """The middles (N, 2) of boxes (N, 4)."""
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2)


def ellipses(boxes: Floats, growth: float, shape: tuple[int, int]) -> Iterator[Ellipse]:
    """The ellipses inscribed in boxes, grown about their middles, cut to a frame (height, width).

    Yields one a box, also where nothing of it lies inside the frame (its window is empty).
    """
    radii = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2 * growth, 0.5)
    for (x, y), (across, down) in zip(centres(boxes), radii, strict=True):
        columns, u = _reach(x, across, shape[1])
        rows, v = _reach(y, down, shape[0])
        yield (rows, columns), v[:, None] + u[None, :] <= 1


def _reach(middle: float, radius: float, length: int) -> tuple[slice, Floats]:
    start = min(max(int(middle - radius), 0), length)
    stop = max(min(int(np.ceil(middle + radius)), length), start)
    offsets = (np.arange(start, stop, dtype=np.float64) + 0.5 - middle) / radius
    return slice(start, stop), np.asarray(offsets**2, np.float64)


def outlines(mask: Bools, tolerance: float) -> list[list[Floats]]:
    """The regions of a mask: each its outline and then its holes, through its outermost pixels.

    `tolerance` is how far, in pixels, an outline may stray from the true one. Regions of no width
    (a single pixel, a line) have no outline and are left out.
    """
    found, links = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    regions: dict[int, list[Floats]] = {}
    for place, contour in enumerate(found):
        parent = int(links[0][place][3])
        if len(contour) > 2:
            regions.setdefault(place if parent < 0 else parent, []).append(
                _simplified(contour, tolerance)
            )
    return list(regions.values())


def _simplified(contour: cv2.typing.MatLike, tolerance: float) -> Floats:
    ring = cv2.approxPolyDP(contour, tolerance, True)
    return np.asarray(ring if len(ring) > 2 else contour, float).reshape(-1, 2)


def multipolygon(regions: list[list[Floats]], scale: float, origin: Position) -> MultiPolygon:
    """Regions as GeoJSON, scaled and then moved to the frame whose `origin` (x, y) they lie at."""
    placed = [
        [_closed(np.round((ring + 0.5) * scale + origin, 1)) for ring in region]
        for region in regions
    ]
    return MultiPolygon(type="MultiPolygon", coordinates=placed)


def _closed(ring: Floats) -> Ring:
    positions: Ring = ring.tolist()
    return [*positions, positions[0]]
