"""The figures of a way of counting: errors, bias, how well it knows where, how well it knows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from validation.methods import Count, Grid


@dataclass(frozen=True)
class Figures:
    """Errors over scenes. MAPE and the like leave out scenes without a plant; shares are of 1.

    GAME(L) (Guerrero-Gómez-Olmo et al. 2015) is the absolute error summed over 4^L cells of each
    scene, averaged over scenes: it does not forgive what is counted in the wrong place.
    """

    mae: float
    mape: float
    bias: float
    total_error: float
    game1: float
    game2: float
    coverage: float | None

    @classmethod
    def of(cls, truths: Sequence[Grid], counts: Sequence[Count]) -> "Figures":
        """The figures of counts of scenes whose truth is known by cell."""
        true = np.array([grid.sum() for grid in truths])
        errors = np.array([count.total for count in counts]) - true
        planted = true > 0
        relative = errors[planted] / true[planted]
        return cls(
            mae=float(np.abs(errors).mean()),
            mape=float(np.abs(relative).mean()) if planted.any() else 0.0,
            bias=float(relative.mean()) if planted.any() else 0.0,
            total_error=float(errors.sum() / max(true.sum(), 1)),
            game1=_game(truths, counts, 2),
            game2=_game(truths, counts, 4),
            coverage=coverage(true, counts),
        )

    def row(self) -> tuple[str, ...]:
        """As a row of the table."""
        held = "–" if self.coverage is None else f"{self.coverage:.0%}"
        return (
            f"{self.mae:.2f}", f"{self.mape:.1%}", f"{self.bias:+.1%}", f"{self.total_error:+.1%}",
            f"{self.game1:.2f}", f"{self.game2:.2f}", held,
        )  # fmt: skip


HEADINGS = ("MAE", "MAPE", "bias", "total", "GAME(1)", "GAME(2)", "in 80 %")


def coverage(true: Sequence[float] | Grid, counts: Sequence[Count]) -> float | None:
    """The share of scenes whose truth the interval holds; None where there are no intervals."""
    held = [
        count.interval[0] <= plants <= count.interval[1]
        for plants, count in zip(true, counts, strict=True)
        if count.interval
    ]
    return float(np.mean(held)) if held else None


def _game(truths: Sequence[Grid], counts: Sequence[Count], cells: int) -> float:
    errors = [
        np.abs(_coarse(count.grid - truth, cells)).sum()
        for truth, count in zip(truths, counts, strict=True)
    ]
    return float(np.mean(errors))


def _coarse(grid: Grid, cells: int) -> Grid:
    step = len(grid) // cells
    return grid.reshape(cells, step, cells, step).sum(axis=(1, 3))
