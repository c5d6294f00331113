"""The ways of counting that are compared: ours, the seed's formula, the detections alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.counting.bands import ContainerEstimate, estimate
from darkroom.counting.confidence import side_by_side
from darkroom.counting.geometry import centres
from validation import seed_formula
from validation.axes import Boxes, Case, Part

Grid = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Polygons = Sequence[Sequence[Sequence[Sequence[float]]]]
CELLS = 4
"""GAME(2) is measured on 4 by 4 cells, GAME(1) on theirs in pairs."""


@dataclass(frozen=True)
class Count:
    """A count of a scene: its total, where it is (4, 4), and its 80 % interval, if it has one."""

    total: float
    grid: Grid
    interval: tuple[float, float] | None = None


Method = Callable[[Case], Count]
Figure = Callable[[ContainerEstimate], float]


def true_grid(case: Case) -> Grid:
    """The plants of a scene by cell."""
    return sum((_points(part.truth, case) for part in case.parts), np.zeros((CELLS, CELLS)))


def ours(case: Case) -> Count:
    """Detections and the unbiased estimate."""
    return _ours(case, lambda result: result.unbiased)


def ours_buffered(case: Case) -> Count:
    """Detections and the estimate with the overcount buffer, as it goes to stock."""
    return _ours(case, lambda result: result.estimated_count)


def detections_only(case: Case) -> Count:
    """What the detector saw."""
    grid = sum((_points(part.found, case) for part in case.parts), np.zeros((CELLS, CELLS)))
    return Count(float(grid.sum()), grid)


def the_seed_s(case: Case) -> Count:
    """Detections and the seed's formula."""
    grid = detections_only(case).grid
    for part in case.parts:
        crop, mask, boxes, origin = _crop(case, part)
        for band in seed_formula.bands(crop, mask, boxes, "box"):
            where = np.zeros(case.image.shape[:2], np.uint8)
            rows = slice(origin[1] + band.y_start, origin[1] + band.y_end)
            where[rows, origin[0] : origin[0] + crop.shape[1]] = band.processed
            grid = grid + band.estimated_count * spread(where)
    return Count(float(grid.sum()), grid)


METHODS: dict[str, Method] = {
    "ours": ours,
    "ours, buffered": ours_buffered,
    "seed's formula": the_seed_s,
    "detections only": detections_only,
}


def estimates(case: Case) -> Iterator[ContainerEstimate]:
    """Our estimate of each container of a scene."""
    for place, part in enumerate(case.parts):
        crop, mask, boxes, origin = _crop(case, part)
        rest = [other.found for number, other in enumerate(case.parts) if number != place]
        others = np.concatenate([np.zeros((0, 4)), *rest]) - np.tile(origin, 2)
        yield estimate(crop, mask, boxes, "box", others=others, origin=origin)


def _ours(case: Case, figure: Figure) -> Count:
    return counted(list(estimates(case)), detections_only(case).grid, case.image.shape, figure)


def counted(
    results: Sequence[ContainerEstimate], seen: Grid, shape: tuple[int, ...], figure: Figure
) -> Count:
    """The count of a picture (H, W) by our estimates of its containers; `seen` are detections."""
    grid = seen
    for result in results:
        for band in result.bands:
            if band.unbiased:
                share = figure(result) * band.unbiased / result.unbiased
                where = filled(band.vegetation_polygon["coordinates"], shape)
                grid = grid + share * spread(where)
    total = sum(result.detected + figure(result) for result in results)
    return Count(total, grid, side_by_side(result.confidence for result in results).interval)


def _crop(case: Case, part: Part) -> tuple[Pixels, Pixels, Boxes, tuple[int, int]]:
    """A container's crop of the photo, its mask and its boxes in it, and where it lies (x, y)."""
    rows, columns = (np.flatnonzero(part.mask.any(axis=axis)) for axis in (1, 0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    origin = (int(columns[0]), int(rows[0]))
    crop = np.ascontiguousarray(case.image[window])
    return crop, np.ascontiguousarray(part.mask[window]), part.found - np.tile(origin, 2), origin


def _points(boxes: Boxes, case: Case) -> Grid:
    return cells(centres(boxes), case.image.shape)


def cells(points: Boxes, shape: tuple[int, ...]) -> Grid:
    """How many points (N, 2) of a picture (H, W) lie in each cell."""
    frame = [[0, shape[0]], [0, shape[1]]]
    return np.histogram2d(points[:, 1], points[:, 0], bins=CELLS, range=frame)[0]


def filled(polygons: Polygons, shape: tuple[int, ...]) -> Pixels:
    """GeoJSON polygons as a mask (H, W)."""
    layer = np.zeros(shape[:2], np.uint8)
    for rings in polygons:
        cv2.fillPoly(
            layer, [np.round(np.array(ring) - 0.5).astype(np.int32) for ring in rings], (255,)
        )
    return layer


def spread(where: Pixels) -> Grid:
    """How a mask's pixels spread over the cells; evenly where there are none."""
    rows, columns = np.nonzero(where)
    counts = cells(np.column_stack([columns, rows]).astype(float), where.shape)
    return counts / counts.sum() if counts.sum() else np.full((CELLS, CELLS), 1 / CELLS**2)
