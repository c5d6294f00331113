"""A container at the size that it is worked on, and its bands."""

from dataclasses import dataclass
from math import ceil, sqrt

import cv2
import numpy as np

from darkroom.counting.geometry import Bools, Bytes, Floats, Integers, centres

BANDS = 4
WORKING_SIDE = 40.0
"""Side in pixels to which larger plants are reduced. What is found then depends on the plants and
not on the camera, and a large photo costs no more than a small one."""
LARGEST = 24_000_000
"""Pixels to which a container is reduced whatever its plants: its estimate takes 17 bytes each."""


@dataclass(frozen=True)
class View:
    """A container's crop, reduced if it or its plants are large; `scale` view pixels are one crop
    pixel.

    `image` (H, W, 3) and `mask` (H, W) and the detections' `boxes` (N, 4) are in view pixels, as
    are `side`, that of a typical plant, and `edges` (B + 1,), the rows between which bands lie;
    `crop_edges` are those rows in the crop.
    """

    image: Bytes
    mask: Bytes
    boxes: Floats
    edges: Integers
    crop_edges: Integers
    side: float
    scale: float

    @property
    def bands(self) -> Integers:
        """The band (N,) of each detection, 0 at the top."""
        return self.bands_of(self.boxes)

    def bands_of(self, boxes: Floats) -> Integers:
        """The band (N,) that the middle of each box (N, 4) lies in, 0 at the top."""
        bands = np.searchsorted(self.edges, centres(boxes)[:, 1], side="right") - 1
        return np.asarray(bands.clip(0, BANDS - 1), np.int64)

    def areas(self, regions: Bools) -> Floats:
        """The pixels of a mask (H, W) in each band (B,)."""
        total = np.concatenate([[0], np.cumsum(np.count_nonzero(regions, axis=1))])
        return np.asarray(np.diff(total[self.edges]), float)

    def by_row(self, values: Floats) -> Floats:
        """A value a band (B,) as a value a row (H,); rows beyond the bands get the nearest."""
        rows = np.searchsorted(self.edges, np.arange(len(self.mask)), side="right") - 1
        return np.asarray(values[rows.clip(0, BANDS - 1)])


def band_edges(mask: Bytes) -> Integers:
    """The edges (5,) of four half-open bands of equal height over the rows that a mask touches."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        raise ValueError("the container's mask is empty")
    return np.round(np.linspace(rows[0], rows[-1] + 1, BANDS + 1)).astype(np.int64)


def view_of(image: Bytes, mask: Bytes, boxes: Floats, edges: Integers, default: float) -> View:
    """View a container so that its plants are no larger than `WORKING_SIDE`, nor it than `LARGEST`.

    `default` is the area of a plant in crop pixels where no detection tells.
    """
    side = _side(boxes, default)
    small, factors = reduced(image, side)
    if small is image:
        return View(image, mask, boxes, edges, edges, side, 1.0)
    across, down = factors[:2].tolist()
    scale = sqrt(across * down)
    size = small.shape[1::-1]
    return View(
        image=small,
        mask=np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8),
        boxes=boxes * factors,
        edges=np.round(edges * down).astype(np.int64),
        crop_edges=edges,
        side=side * scale,
        scale=scale,
    )


def reduced(image: Bytes, side: float) -> tuple[Bytes, Floats]:
    """An image (H, W, 3) at the size at which plants of that side are worked on, and the factors
    (4,) that boxes of it are to be multiplied with; the image itself where it is small enough."""
    height, width = image.shape[:2]
    reduction = min(WORKING_SIDE / side, sqrt(LARGEST / (width * height)))
    if reduction >= 1:
        return image, np.ones(4)
    size = (ceil(width * reduction), ceil(height * reduction))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, np.tile(np.divide(size, (width, height)), 2)


def _side(boxes: Floats, default: float) -> float:
    if not len(boxes):
        return sqrt(default)
    return float(np.median(np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))))
