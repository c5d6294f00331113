"""How sure a count is, computed from what could be wrong with it.

Three things make an estimate uncertain, taken as independent: plants differ in size (each missed
one, and the mean they are divided by), the threshold between leaf and floor could have been
another, and the total is rounded. Their variances add up to a standard error, and that gives an
interval and a probability under a normal distribution. `scale` widens or narrows it all, as
corrections by people show to be right.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from darkroom.counting.geometry import Floats

EIGHTY = 1.2815515655446004
"""Standard errors to either side that hold 80 % of a normal distribution."""
ROUNDING = 1 / 12
"""Variance of rounding to whole plants."""
FEW = 3
SPREAD_OF_FEW = 0.5
"""Relative spread of plant areas that is assumed of containers with fewer than FEW plants."""


@dataclass(frozen=True)
class Confidence:
    """A count of plants with its standard error.

    `least` is what is certain (the detections): the interval does not go below it.
    """

    total: float
    error: float
    least: float = 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The interval that holds the truth in 80 % of cases."""
        reach = EIGHTY * self.error
        return max(self.total - reach, self.least), self.total + reach

    @property
    def probability(self) -> float:
        """The probability that the count is off by no more than one plant or 10 %."""
        allowed = max(1.0, 0.1 * self.total)
        return erf(allowed / (self.error * sqrt(2)))


def spread(areas: Floats, expected: Floats) -> float:
    """The relative spread of plants' areas (N,) about those expected of them (N,)."""
    if len(areas) < FEW:
        return SPREAD_OF_FEW
    return float(np.std(areas / expected))


def confidence_of(
    detected: int, estimated: float, plant_spread: float, threshold_spread: float, scale: float = 1
) -> Confidence:
    """The confidence in a count of detected and estimated plants.

    Parameters
    ----------
    plant_spread
        Relative spread of the plants' areas.
    threshold_spread
        Relative change of the estimate between the thresholds that were possible.
    scale
        Factor on the standard error, fitted from corrections.
    """
    sizes = plant_spread**2 * (estimated + estimated**2 / max(detected, 1))
    threshold = (threshold_spread * estimated) ** 2
    error = scale * sqrt(sizes + threshold + ROUNDING)
    return Confidence(detected + estimated, error, detected)


def together(parts: Iterable[Confidence]) -> Confidence:
    """The confidence in the sum of independent counts: containers of a photo, photos of a run."""
    counts = list(parts)
    error = sqrt(sum(part.error**2 for part in counts)) if counts else sqrt(ROUNDING)
    return Confidence(sum(c.total for c in counts), error, sum(c.least for c in counts))
