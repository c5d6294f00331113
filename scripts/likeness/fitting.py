"""From measures of labelled pairs to weights, a bound, and how often both err."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from darkroom.catalog.likeness import Measures, distance_of

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MOST_REJECTED, MOST_ACCEPTED = 0.02, 0.05
"""Shares of wrong answers that are aimed at: of same subjects, and of different ones."""
RIDGE = 1.0
ROUNDS = 50


@dataclass(frozen=True)
class Labelled:
    """The measures of a pair, and what is known of it. `is_held_out`: of the half not fitted on."""

    thing: str
    other: str
    kind: str
    is_same: bool
    is_held_out: bool
    measures: Measures


@dataclass(frozen=True)
class Rates:
    """Of how many same pairs what share is taken for different ones, and the reverse."""

    same: int
    rejected: float
    different: int
    accepted: float


def rates(pairs: Sequence[Labelled], most: float) -> Rates:
    """How often the weights in use, with that bound, err."""
    far = np.array([distance_of(pair.measures) > most for pair in pairs])
    is_same = np.array([pair.is_same for pair in pairs])
    return Rates(
        int(is_same.sum()), _share(far[is_same]), int((~is_same).sum()), _share(~far[~is_same])
    )


def fitted(pairs: Sequence[Labelled]) -> Floats:
    """The weights of a logistic regression, and an offset with which the best bound is 0.5.

    Minimises the ridge-penalised likelihood of the standardised measures by Newton's method. The
    bound is the one at which the larger of both rates, as shares of what is aimed at, is smallest.
    """
    measures = np.array([astuple(pair.measures) for pair in pairs])
    is_same = np.array([pair.is_same for pair in pairs])
    middle, spread = measures.mean(0), measures.std(0)
    rows = np.column_stack(((measures - middle) / spread, np.ones(len(measures))))
    weights = _regressed(rows, is_same)
    plain = weights[:-1] / spread
    sums = measures @ plain
    return np.append(plain, -_bound(sums, is_same))


def _regressed(rows: Floats, is_same: Bools) -> Floats:
    weights, ridge = np.zeros(rows.shape[1]), np.eye(rows.shape[1]) * RIDGE
    for _ in range(ROUNDS):
        sure = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (sure - is_same) + ridge @ weights
        curve = (rows.T * (sure * (1 - sure))) @ rows + ridge
        weights -= np.linalg.solve(curve, slope)
    return weights


def _bound(sums: Floats, is_same: Bools) -> float:
    steps = np.linspace(sums.min(), sums.max(), 2000)
    worst = [
        max(
            _share(sums[is_same] < step) / MOST_REJECTED,
            _share(sums[~is_same] >= step) / MOST_ACCEPTED,
        )
        for step in steps
    ]
    best = np.flatnonzero(np.array(worst) == min(worst))
    # The middle of the steps that are as good.
    return float(steps[best].mean())


def _share(which: Bools) -> float:
    return float(which.mean()) if len(which) else 0.0
