"""How sure a count is, computed from what could be wrong with it.

What the detector saw may be no plant, and what it half saw may be one: its scores say how likely
that is (`chances`). Where plants were estimated from leaves alone, plants differ in size (each
missed one, and the mean they are divided by), and the threshold between leaf and floor could have
been another. And the total is rounded. The variances add up to a standard error, and that gives an
interval and a probability under a normal distribution. `scale` widens or narrows it all, as
corrections by people show to be right.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import erf, sqrt

import numpy as np

from darkroom.counting.geometry import Floats

EIGHTY = 1.2815515655446004
"""Standard errors to either side that hold 80 % of a normal distribution."""
ROUNDING = 1 / 12
"""Variance of rounding to whole plants."""
ODDS, SLOPE = 2.24, 1.79
"""How a score's log odds become those of a plant: logistic regression over the 9,000 boxes of 140
generated photos, with the bundled weights."""
DOUBT = 2.8
"""By how much plants that were missed come in groups: their number has this squared times the
variance of independent ones. Fitted, with the next, to the 80 % interval of 280 containers."""
BLINDNESS = 1.2
"""Standard error over the number of plants half seen: where the detector half sees much it also
misses much that it does not see at all."""
FEW = 3
SPREAD_OF_FEW = 0.5
"""Relative spread of plant areas that is assumed of containers with fewer than FEW plants."""


@dataclass(frozen=True)
class Confidence:
    """A count of plants with its standard error."""

    total: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The interval that holds the truth in 80 % of cases."""
        reach = EIGHTY * self.error
        return max(self.total - reach, 0.0), self.total + reach

    @property
    def probability(self) -> float:
        """The probability that the count is off by no more than one plant or 10 %."""
        allowed = max(1.0, 0.1 * self.total)
        return erf(allowed / (self.error * sqrt(2)))


@dataclass(frozen=True)
class Doubt:
    """What the detector's scores say: the chances (N,) that what it took for a plant is one, and
    those (M,) that what it only half believed in is one, too."""

    found: Floats = field(default_factory=lambda: np.empty(0))
    faint: Floats = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, parts: Sequence["Doubt"]) -> "Doubt":
        """All parts in one."""
        found, faint = [part.found for part in parts], [part.faint for part in parts]
        return cls(np.concatenate(found), np.concatenate(faint))

    @property
    def variance(self) -> float:
        """The variance of the number of plants for all that."""
        false, missed = (float((p * (1 - p)).sum()) for p in (self.found, self.faint))
        return false + DOUBT**2 * missed + (BLINDNESS * float(self.faint.sum())) ** 2


NO_DOUBT = Doubt()


def chances(scores: Floats) -> Floats:
    """The chance (N,) that a box with this score (N,) shows a plant."""
    inner = np.clip(scores, 1e-6, 1 - 1e-6)
    odds = np.exp(ODDS) * (inner / (1 - inner)) ** SLOPE
    return np.asarray(odds / (1 + odds))


def spread(areas: Floats, expected: Floats) -> float:
    """The relative spread of plants' areas (N,) about those expected of them (N,)."""
    if len(areas) < FEW:
        return SPREAD_OF_FEW
    return float(np.std(areas / expected))


def confidence_of(
    detected: int,
    estimated: float,
    plant_spread: float,
    threshold_spread: float,
    scale: float = 1,
    doubt: Doubt = NO_DOUBT,
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
    doubt
        What the detector's scores say, where they are known.
    """
    sizes = plant_spread**2 * (estimated + estimated**2 / max(detected, 1))
    threshold = (threshold_spread * estimated) ** 2
    error = scale * sqrt(sizes + threshold + ROUNDING + doubt.variance)
    return Confidence(detected + estimated, error)


def side_by_side(parts: Iterable[Confidence]) -> Confidence:
    """The confidence in the sum of a photo's containers.

    One light, one camera, one sort of plants: what goes wrong in one goes wrong in all, so their
    errors add up.
    """
    counts = list(parts)
    error = max(sum(part.error for part in counts), sqrt(ROUNDING))
    return Confidence(sum(part.total for part in counts), error)


def together(parts: Iterable[Confidence]) -> Confidence:
    """The confidence in the sum of independent counts: photos of a session."""
    counts = list(parts)
    error = sqrt(sum(part.error**2 for part in counts)) if counts else sqrt(ROUNDING)
    return Confidence(sum(part.total for part in counts), error)
