"""Containers in a photo: their crops, and which container a plant belongs to.

Every pixel and every plant belongs to at most one container. Where containers overlap it is the
smallest of them: of a tray within a bed, the tray; of neighbours whose outlines run into each
other, the smaller one. The masks of the crops follow the same rule, so what one container counts
no other counts again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from darkroom.counting.geometry import Bools, Bytes, Floats, Integers, centres

Kind = Literal["plug", "box", "segment"]
NOBODY = -1
"""The owner of what lies in no container."""
SAME = 0.5
"""Intersection over union from which on boxes found in two containers' crops are one plant."""


@dataclass(frozen=True)
class Container:
    """A container: its outline (P, 2) in photo pixels, possibly concave, and the model's word."""

    polygon: Floats
    kind: Kind
    confidence: float


@dataclass(frozen=True)
class Crop:
    """The part of a photo that holds one container: x1 ≤ x < x2, y1 ≤ y < y2.

    `mask` (y2 - y1, x2 - x1) is 255 on the container's own pixels and 0 elsewhere.
    """

    x1: int
    y1: int
    x2: int
    y2: int
    mask: Bytes

    def of(self, photo: Bytes) -> Bytes:
        """This part of a photo, as a view."""
        return photo[self.y1 : self.y2, self.x1 : self.x2]

    def local(self, boxes: Floats) -> Floats:
        """Boxes (N, 4) of the photo in the crop's own pixels."""
        return np.asarray(boxes - (self.x1, self.y1, self.x1, self.y1))

    def abroad(self, boxes: Floats) -> Floats:
        """Boxes (N, 4) of the crop in the photo's pixels."""
        return np.asarray(boxes + (self.x1, self.y1, self.x1, self.y1))


def crops(containers: Sequence[Container], shape: tuple[int, int]) -> list[Crop | None]:
    """The crop of each container in a photo (height, width).

    None stands for a container of which nothing is left: it lies outside the photo or under
    smaller ones.
    """
    order = _by_size([container.polygon for container in containers])
    above = [set(order[: order.index(place)]) for place in range(len(containers))]
    return [
        _crop(container.polygon, [containers[i].polygon for i in above[place]], shape)
        for place, container in enumerate(containers)
    ]


def owners(points: Floats, polygons: Sequence[Floats]) -> Integers:
    """The container (N,) that each point (N, 2) belongs to, as an index; -1 for none.

    A point on an outline is inside it.
    """
    result = np.full(len(points), NOBODY)
    for place in reversed(_by_size(polygons)):
        result[_inside(points, polygons[place])] = place
    return result


def assign(
    boxes: Floats, scores: Floats, sources: Integers, polygons: Sequence[Floats]
) -> Integers:
    """The owner (N,) of each detection, -1 for those to drop.

    Crops of neighbouring containers overlap, and a plant in both is found twice, a little
    displaced. Of such a pair the better score stays; what stays belongs to the container that holds
    its middle, whichever crop it was found in.

    Parameters
    ----------
    boxes, scores
        Detections (N, 4) in photo pixels and their confidences (N,).
    sources
        The container (N,) in whose crop each was found.
    """
    result = owners(centres(boxes), polygons)
    shared = np.flatnonzero(_touched(boxes, polygons) > 1)
    for place in shared[np.argsort(-scores[shared], kind="stable")]:
        if result[place] != NOBODY:
            rivals = (sources[shared] != sources[place]) & (scores[shared] <= scores[place])
            rivals &= _overlaps(boxes[place], boxes[shared]) >= SAME
            result[shared[rivals]] = NOBODY
    return result


def _by_size(polygons: Sequence[Floats]) -> list[int]:
    sizes = [abs(cv2.contourArea(polygon.astype(np.float32))) for polygon in polygons]
    return sorted(range(len(polygons)), key=lambda place: (sizes[place], place))


def _crop(polygon: Floats, smaller: list[Floats], shape: tuple[int, int]) -> Crop | None:
    limits = np.array(shape[::-1])
    x1, y1 = np.floor(polygon.min(axis=0)).clip(0, limits).astype(int)
    x2, y2 = np.ceil(polygon.max(axis=0)).clip(0, limits).astype(int)
    mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
    if mask.size:
        for outline, value in [(polygon, 255), *((other, 0) for other in smaller)]:
            _fill(mask, outline - (x1, y1), value)
    if not mask.any():
        return None
    return Crop(int(x1), int(y1), int(x2), int(y2), mask)


def _fill(mask: Bytes, polygon: Floats, value: int) -> None:
    # Pixel j's middle is at j + 0.5 here and at j for OpenCV; 4 bits of fraction.
    fixed = np.round((polygon - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], (value,), cv2.LINE_8, 4)


def _inside(points: Floats, polygon: Floats) -> Bools:
    outline = polygon.astype(np.float32)
    near = ((points >= polygon.min(axis=0)) & (points <= polygon.max(axis=0))).all(axis=1)
    for place in np.flatnonzero(near):
        x, y = points[place]
        near[place] = cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0
    return np.asarray(near)


def _touched(boxes: Floats, polygons: Sequence[Floats]) -> Integers:
    """How many polygons' bounding boxes, and so crops, each box (N, 4) reaches into."""
    counts = np.zeros(len(boxes), np.int64)
    for polygon in polygons:
        starts, stops = boxes[:, :2] <= polygon.max(axis=0), boxes[:, 2:] >= polygon.min(axis=0)
        counts += (starts & stops).all(axis=1)
    return counts


def _overlaps(box: Floats, boxes: Floats) -> Floats:
    shared = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    common = shared.clip(0).prod(axis=1)
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(common / ((box[2:] - box[:2]).prod() + sizes - common))
