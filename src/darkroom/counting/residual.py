"""The vegetation that no detection explains: whole plants, not the leaf fringe of known ones."""

import cv2
import numpy as np

from darkroom.counting.geometry import Bools, Floats

OPENING = 0.1
"""Radius of the opening over the root of a plant's area: thinner shreds are leaf fringe."""
REACH = 0.2
"""How far from what the opening left, in the same measure, leaves belong to it."""
SMALLEST = 0.25
"""Share of a plant's area from which on a region is a plant and not a scrap."""


def clean(leftover: Bools, plant_areas: Floats) -> Bools:
    """Keep of the leftover vegetation (H, W) what can be plants.

    An opening with a disc proportional to the root of a plant's area takes away the fringe that
    leaves make around their ellipse; what it cut from true plants grows back; and regions smaller
    than a quarter of a plant fall out. Leaves of one plant that lie close count as one region.

    Parameters
    ----------
    plant_areas
        The area of a plant in pixels, by row of the image (H,): perspective changes it.
    """
    roots = np.sqrt(plant_areas)[:, None]
    # Discs by distance, not by kernel: radii need not be whole and cost nothing when large.
    core = _distance(leftover) > OPENING * roots
    if not core.any():
        return core
    together = _distance(~core) <= REACH * roots
    kept = leftover & together
    count, labels, _, middles = cv2.connectedComponentsWithStats(together.astype(np.uint8))
    areas = np.bincount(labels[kept], minlength=count)
    plants = np.zeros(count, np.bool_)  # Label 0 is the background, which may be nowhere.
    plants[1:] = areas[1:] >= SMALLEST * plant_areas[middles[1:, 1].astype(int)]
    return np.asarray(kept & plants[labels])


def _distance(mask: Bools) -> Floats:
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5))
