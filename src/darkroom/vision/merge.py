"""From overlapping boxes of many slices to one box a plant.

Boxes are (N, 4) x1, y1, x2, y2. The rules and their tie-breaks are SAHI's (`sahi.postprocess`), so
that both give the same boxes; `fragments` is ours.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
Metric = Literal["IOU", "IOS"]

_ROWS = 512
_COLUMNS = 2048


def areas(boxes: Floats) -> Floats:
    """Area of each box (N,), square pixels."""
    sizes: Floats = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(sizes[:, 0] * sizes[:, 1])


def shared(one: Floats, others: Floats) -> Floats:
    """Area (N,) that one box (4,) shares with each of the others (N, 4)."""
    width = np.minimum(one[2], others[:, 2]) - np.maximum(one[0], others[:, 0])
    height = np.minimum(one[3], others[:, 3]) - np.maximum(one[1], others[:, 1])
    return np.asarray(width.clip(0) * height.clip(0), np.float32)


def overlap(one: Floats, others: Floats, metric: Metric) -> Floats:
    """Intersection over union (IOU) or over the smaller box (IOS) of one box with others (N,)."""
    inside = shared(one, others)
    own, theirs = areas(one[None])[0], areas(others)
    base = own + theirs - inside if metric == "IOU" else np.minimum(own, theirs)
    return np.asarray(np.divide(inside, base, out=np.zeros_like(inside), where=base > 0))


def by_score(boxes: Floats, scores: Floats) -> Integers:
    """Indices by falling score; ties by x1, y1, x2, y2."""
    x1, y1, x2, y2 = boxes.T
    return np.lexsort((y2, x2, y1, x1, -scores))


def nms(boxes: Floats, scores: Floats, metric: Metric = "IOU", threshold: float = 0.5) -> Integers:
    """Indices of the boxes that no better one overlaps by `threshold` or more, best first."""
    order = by_score(boxes, scores)
    ends, rivals = _conflicts(boxes[order], metric, threshold)
    alive, kept = np.ones(len(order), bool), []
    for place in range(len(order)):
        if alive[place]:
            kept.append(place)
            alive[rivals[ends[place] : ends[place + 1]]] = False
    return order[kept]


def _conflicts(boxes: Floats, metric: Metric, threshold: float) -> tuple[Integers, Integers]:
    """Which boxes overlap which by `threshold` or more: those of box n lie between the n-th and the
    next of the first array, in the second. Each is among its own."""
    found = [np.empty((2, 0), np.int64)]
    for rows, columns in _near(boxes, boxes):
        close = _ratios(boxes[rows], boxes[columns], metric) >= threshold
        first, second = np.nonzero(close)
        found.append(np.stack([rows[first], columns[second]]))
    owners, rivals = np.concatenate(found, axis=1)
    order = np.argsort(owners, kind="stable")
    return np.searchsorted(owners[order], np.arange(len(boxes) + 1)), rivals[order]


def _near(boxes: Floats, others: Floats) -> Iterator[tuple[Integers, Integers]]:
    """Indices of boxes and of those others that may meet them, in pieces of bounded size.

    Both go from left to right, so that a piece has only its neighbourhood to look at.
    """
    if len(boxes) <= _ROWS and len(others) <= _ROWS:
        yield np.arange(len(boxes)), np.arange(len(others))
        return
    order, beside = np.argsort(boxes[:, 0], kind="stable"), np.argsort(others[:, 0], kind="stable")
    starts, reach = others[beside, 0], np.maximum.accumulate(others[beside, 2])
    for place in range(0, len(order), _ROWS):
        rows = order[place : place + _ROWS]
        first = np.searchsorted(reach, boxes[rows, 0].min(), side="left")
        last = np.searchsorted(starts, boxes[rows, 2].max(), side="right")
        # One large box among the others makes all that follow it neighbours.
        for start in range(first, last, _COLUMNS):
            yield rows, beside[start : min(start + _COLUMNS, last)]


def _intersections(boxes: Floats, others: Floats) -> Floats:
    """The area (N, M) that each box shares with each other."""
    x1, y1, x2, y2 = np.ascontiguousarray(boxes.T)[:, :, None]
    a1, b1, a2, b2 = np.ascontiguousarray(others.T)
    width = np.minimum(x2, a2) - np.maximum(x1, a1)
    height = np.minimum(y2, b2) - np.maximum(y1, b1)
    return np.asarray(np.maximum(width, 0) * np.maximum(height, 0))


def _ratios(boxes: Floats, others: Floats, metric: Metric) -> Floats:
    """`overlap` of each box with each other, (N, M)."""
    inside = _intersections(boxes, others)
    own, theirs = areas(boxes)[:, None], areas(others)
    base = own + theirs - inside if metric == "IOU" else np.minimum(own, theirs)
    return np.asarray(np.divide(inside, base, out=np.zeros_like(inside), where=base > 0))


def greedy_nmm(
    boxes: Floats, scores: Floats, metric: Metric = "IOS", threshold: float = 0.5
) -> tuple[Integers, Floats]:
    """Like `nms`, but the best box grows over those that it suppresses.

    Returns the kept indices (K,), best first, and their grown boxes (K, 4). A box joins only while
    it still overlaps what the best one has grown to.
    """
    left, kept, grown = by_score(boxes, scores), [], []
    while len(left):
        best, left = left[0], left[1:]
        near = overlap(boxes[best], boxes[left], metric) >= threshold
        kept.append(best)
        grown.append(_grow(boxes[best], boxes[left[near]], metric, threshold))
        left = left[~near]
    return np.array(kept, np.int64), np.array(grown, np.float32).reshape(-1, 4)


def _grow(box: Floats, others: Floats, metric: Metric, threshold: float) -> Floats:
    grown = box.copy()
    for other in others:
        if overlap(grown, other[None], metric)[0] >= threshold:
            grown[:2] = np.minimum(grown[:2], other[:2])
            grown[2:] = np.maximum(grown[2:], other[2:])
    return grown


def covered(boxes: Floats, covers: Floats, threshold: float) -> Bools:
    """Which boxes (N,) have at least `threshold` of their own area inside one of the covers."""
    wanted = threshold * np.maximum(areas(boxes), 1e-6)
    found = np.zeros(len(boxes), bool)
    for rows, columns in _near(boxes, covers):
        inside = _intersections(boxes[rows], covers[columns]) >= wanted[rows, None]
        found[rows] |= inside.any(axis=1)
    return found


def fragments(boxes: Floats, cut: Bools, threshold: float = 0.5) -> Bools:
    """Which boxes (N,) are pieces of plants that another slice saw whole.

    `cut` marks the boxes that end at an inner edge of their slice. Such a box is a fragment when
    a box that is not cut covers at least `threshold` of it: its IOU with the whole plant may be
    small, so that `nms` would count the plant twice.
    """
    found = np.zeros(len(boxes), bool)
    found[cut] = covered(boxes[cut], boxes[~cut], threshold)
    return found
