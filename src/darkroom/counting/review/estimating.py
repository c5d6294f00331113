"""Estimating containers again with the boxes that people corrected: pure, and without the models.

The detector's half-believed boxes were kept when it looked, and serve again. Where a person took a
box away the green under it is no plant, so it is left out of the estimate, too; without that the
estimate would put back what was taken away.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from darkroom.counting import bands
from darkroom.counting.bands import ContainerEstimate
from darkroom.counting.containers import NOBODY, Container, Crop, crops, owners
from darkroom.counting.geometry import Bools, Bytes, Floats, Integers, centres
from darkroom.counting.parameters import Parameters

SHARED = 0.3
"""Share of a box taken away that a box beside it covers, from which on it was one plant twice."""


@dataclass(frozen=True)
class Standing:
    """A container as it stands: its row's id, its outline, and what the detector half believed in.

    `faint` are rows x1, y1, x2, y2, score (M, 5). It is None where it is not known what the
    detector saw: then all green that no plant explains may be plants.
    """

    id: int
    container: Container
    faint: Floats | None


@dataclass(frozen=True)
class Corrected:
    """What people made of a photo: boxes are rows x1, y1, x2, y2 in its pixels.

    Attributes
    ----------
    boxes, scores
        All plants (N, 4) there are now, and how sure each (N,) is.
    changed
        Boxes (K, 4) that came or went.
    left
        Places (L, 4) where the model saw a plant and a person does not, ever so long ago.
    """

    boxes: Floats
    scores: Floats
    changed: Floats
    left: Floats


def owners_of(boxes: Floats, standing: Sequence[Standing]) -> Integers:
    """The id (N,) of each box's container; one that lies in none goes to the nearest."""
    polygons = [one.container.polygon for one in standing]
    places = owners(centres(boxes), polygons)
    for lost in np.flatnonzero(places == NOBODY):
        places[lost] = _nearest(centres(boxes[lost : lost + 1])[0], polygons)
    return np.array([one.id for one in standing], np.int64)[places]


def estimates(
    photo: Bytes,
    standing: Sequence[Standing],
    corrected: Corrected,
    parameters: Parameters,
    report: Callable[[int, int], None],
) -> dict[int, ContainerEstimate]:
    """The estimates by id of the containers that changed boxes reach into; the others stay.

    `report` is told before each how many there are, and which comes.
    """
    found = crops([one.container for one in standing], (photo.shape[0], photo.shape[1]))
    touched = [
        (one, crop)
        for one, crop in zip(standing, found, strict=True)
        if crop is not None and _reached(crop, corrected.changed).any()
    ]
    owned = owners_of(corrected.boxes, standing)
    result = {}
    for place, (one, crop) in enumerate(touched, start=1):
        report(place, len(touched))
        result[one.id] = _estimate(photo, one, crop, corrected, owned == one.id, parameters)
    return result


def _estimate(
    photo: Bytes,
    one: Standing,
    crop: Crop,
    corrected: Corrected,
    own: Bools,
    parameters: Parameters,
) -> ContainerEstimate:
    """The estimate of a container; plants that it has beyond its outline count as seen."""
    within = own.copy()
    within[own] = _within(crop, corrected.boxes[own])
    boxes = crop.local(corrected.boxes[within])
    left = crop.local(corrected.left)
    others = [crop.local(corrected.boxes[~own]), left[~_covered(left, boxes)]]
    faint = one.faint
    estimate = bands.estimate(
        np.ascontiguousarray(crop.of(photo)),
        crop.mask,
        boxes,
        one.container.kind,
        parameters,
        scores=corrected.scores[within],
        others=np.concatenate(others),
        faint=None if faint is None else crop.local(faint[:, :4]),
        faint_scores=None if faint is None else faint[:, 4],
        origin=(crop.x1, crop.y1),
    )
    return _with_more(estimate, int(own.sum() - within.sum()))


def _with_more(estimate: ContainerEstimate, plants: int) -> ContainerEstimate:
    """The same estimate with so many plants more that a person saw."""
    if not plants:
        return estimate
    sure = replace(estimate.confidence, total=estimate.confidence.total + plants)
    return replace(
        estimate,
        detected=estimate.detected + plants,
        is_empty_container=False,
        confidence=sure,
    )


def _within(crop: Crop, boxes: Floats) -> Bools:
    """Which boxes (N, 4) have their middle on the crop's own pixels."""
    columns, rows = np.floor(centres(crop.local(boxes))).astype(int).T
    height, width = crop.mask.shape
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return np.asarray(
        inside & (crop.mask[rows.clip(0, height - 1), columns.clip(0, width - 1)] > 0)
    )


def _reached(crop: Crop, boxes: Floats) -> Bools:
    """Which boxes (N, 4) lie in a crop, at least in part."""
    starts, stops = np.array([crop.x1, crop.y1]), np.array([crop.x2, crop.y2])
    return np.asarray(((boxes[:, :2] < stops) & (boxes[:, 2:] > starts)).all(axis=1))


def _covered(boxes: Floats, others: Floats) -> Bools:
    """Which boxes (N, 4) another one (M, 4) covers to a good part."""
    if not len(boxes) or not len(others):
        return np.zeros(len(boxes), np.bool_)
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = (high - low).clip(0).prod(axis=2)
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray((common / sizes[:, None] >= SHARED).any(axis=1))


def _nearest(point: Floats, polygons: Sequence[Floats]) -> int:
    x, y = float(point[0]), float(point[1])
    distances = [
        cv2.pointPolygonTest(polygon.astype(np.float32), (x, y), True) for polygon in polygons
    ]
    return int(np.argmax(distances))
