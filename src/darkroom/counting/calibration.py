"""How large a plant looks, band by band, and how much of it its neighbours hide.

The measure is the one that the residual is taken with: pixels of vegetation, not boxes or discs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from darkroom.counting.geometry import Bools, Floats, Integers, centres, ellipses
from darkroom.counting.view import View

GROWTH = 1.12
"""How much ellipses are grown beyond their boxes, to take in the tips of leaves."""
PRIOR_WEIGHT = 5.0
"""How many plants of its own the plants of the other bands are worth to a band, at most."""
DEFAULT_WEIGHT = 0.2
"""How many plants a default area is worth: plants of a container differ by a third from each other,
but by a factor of two from a default."""
ENOUGH = 8
"""Plants from which on the other bands show a trend of size with height."""
LEAST_SEEN = 0.25
"""Share of a plant that neighbours leave visible at least: less could not be measured."""
ROUNDS = 10
"""Rounds in which estimate and overlap settle."""


@dataclass(frozen=True)
class Cover:
    """What grown ellipses cover: how many lie over each pixel, and the vegetation each holds.

    Vegetation under k ellipses counts 1/k to each, so that the areas add up to what is visible.
    """

    counts: NDArray[np.uint16]
    areas: Floats


def cover(vegetation: Bools, boxes: Floats) -> Cover:
    """Lay the detections' (N, 4) grown ellipses over the vegetation (H, W)."""
    shapes = list(ellipses(boxes, GROWTH, vegetation.shape))
    counts = np.zeros(vegetation.shape, np.uint16)
    for window, inside in shapes:
        counts[window] += inside
    shares = np.divide(vegetation, np.maximum(counts, 1), dtype=np.float32)
    areas = [shares[window][inside].sum() for window, inside in shapes]
    return Cover(counts, np.array(areas, float))


def plant_areas(areas: Floats, view: View, default: float) -> Floats:
    """The visible area of a plant in each band (B,), in view pixels.

    A band's own plants (of all `areas` (N,)), without outliers, shrunk to what the other bands lead
    to expect: (n·a + k·A0) / (n + k). At least a pixel.
    """
    heights = centres(view.boxes)[:, 1]
    result = []
    for band, middle in enumerate((view.edges[:-1] + view.edges[1:]) / 2):
        own, elsewhere = _trimmed(areas[view.bands == band]), view.bands != band
        prior, weight = _prior(areas[elsewhere], heights[elsewhere], middle, default)
        result.append((own.sum() + weight * prior) / (len(own) + weight))
    return np.maximum(result, 1)


def _trimmed(areas: Floats) -> Floats:
    if len(areas) < 4:
        return areas
    low, high = np.quantile(areas, (0.25, 0.75))
    reach = 1.5 * (high - low)
    return np.asarray(areas[(areas >= low - reach) & (areas <= high + reach)])


def _prior(areas: Floats, heights: Floats, middle: float, default: float) -> tuple[float, float]:
    seen = areas > 0
    if not seen.any():
        return default, DEFAULT_WEIGHT
    logs = np.log(areas[seen])
    degree = 1 if seen.sum() >= ENOUGH and np.ptp(heights[seen]) > 1 else 0
    line = np.polynomial.Polynomial.fit(heights[seen], logs, degree)
    # The mean of the exponentials, not the exponential of the mean (Duan 1983, smearing).
    smear = np.exp(logs - line(heights[seen])).mean()
    expected = np.exp(line(middle)) * smear
    within = np.clip(expected, areas[seen].min() / 2, areas.max() * 2)
    return float(within), min(PRIOR_WEIGHT, float(seen.sum()))


def settled_share(single: float, shared: float, found: Integers, left: Floats) -> Floats:
    """How much of a plant's area a missed one leaves over, by band (B,), 0.25 to 1.

    Where plants overlap, a missed one is partly covered by its detected neighbours' ellipses. Say
    each plant has v1 of its own and shares v2 with a neighbour, and a share r of the plants is
    detected: then per detected plant v1 + 2·v2·(1 - r) lies under one ellipse and v2·r under two,
    while a missed plant leaves over v1 + v2·(1 - r). As r depends on what is missed, the two are
    brought into line by iteration.

    Parameters
    ----------
    single, shared
        Vegetation under exactly one and under more than one ellipse, in plants' areas.
    found, left
        Plants detected, and residual area in plants' areas, by band.
    """
    share = np.ones(len(found))
    if single + shared == 0:
        return share
    for _ in range(ROUNDS):
        recall = found / np.maximum(found + left / share, 1e-9)
        v2 = shared / max(float((found * recall).sum()), 1e-9)
        v1 = max(single - 2 * v2 * float((found * (1 - recall)).sum()), 0.0) / found.sum()
        share = (v1 + v2 * (1 - recall)) * found.sum() / (single + shared)
        share = share.clip(LEAST_SEEN, 1)
    return np.asarray(share)
