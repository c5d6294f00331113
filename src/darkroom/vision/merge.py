"""From overlapping boxes of many slices to one box a plant.

Boxes are (N, 4) x1, y1, x2, y2. The rules and their tie-breaks are SAHI's (`sahi.postprocess`), so
that both give the same boxes; `fragments` is ours.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
Metric = Literal["IOU", "IOS"]

_ROWS = 512


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
    close = conflicts(boxes[order], metric, threshold)
    alive, kept = np.ones(len(order), bool), []
    for place in range(len(order)):
        if alive[place]:
            kept.append(place)
            alive &= ~close[place]
    return order[kept]


def conflicts(boxes: Floats, metric: Metric, threshold: float) -> Bools:
    """Which pairs of boxes overlap by `threshold` or more, (N, N); rows in bounded pieces."""
    found = np.zeros((len(boxes), len(boxes)), bool)
    sizes = areas(boxes)
    x1, y1, x2, y2 = np.ascontiguousarray(boxes.T)
    for start in range(0, len(boxes), _ROWS):
        rows = slice(start, start + _ROWS)
        width = np.minimum(x2[rows, None], x2) - np.maximum(x1[rows, None], x1)
        height = np.minimum(y2[rows, None], y2) - np.maximum(y1[rows, None], y1)
        inside = np.maximum(width, 0) * np.maximum(height, 0)
        own = sizes[rows, None]
        base = own + sizes - inside if metric == "IOU" else np.minimum(own, sizes)
        ratio = np.divide(inside, base, out=np.zeros_like(inside), where=base > 0)
        found[rows] = ratio >= threshold
    return found


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
    for cover in covers:
        found |= shared(cover, boxes) >= wanted
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
