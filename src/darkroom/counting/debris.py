"""Boxes that are too small to be plants of their container: perlite, bark, algae.

The plants of one container are of about one size. A box that the detector barely believes in, and
that covers less than a quarter of what the sure ones beside it cover, is no plant. (Seedlings of a
real tray are as small, but score higher.)
"""

import numpy as np

from darkroom.counting.bands import ALIKE
from darkroom.counting.geometry import Bools, Floats, Integers

SURE = 0.5
"""Score from which on a box tells how large the plants are."""
DOUBTFUL = 0.4
"""Score from which on a box is taken for a plant, whatever its size."""
FEW = 3
"""Sure boxes that a container needs to say how large its plants are; else the photo's say it."""


def debris(boxes: Floats, scores: Floats, owners: Integers) -> Bools:
    """Which boxes (N, 4) x1, y1, x2, y2 are debris (N,).

    Parameters
    ----------
    scores : (N,) 0 to 1
    owners : (N,) the container of each box; negative for none
    """
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    sure, doubtful = scores >= SURE, scores < DOUBTFUL
    found = np.zeros(len(boxes), np.bool_)
    for owner in np.unique(owners):
        own = owners == owner
        beside = areas[own & sure] if (own & sure).sum() >= FEW else areas[sure]
        if len(beside):
            found |= own & doubtful & (areas < np.median(beside) / ALIKE)
    return found
