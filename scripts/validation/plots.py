"""The plots: counted against true, errors by axis, and intervals against what they held."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from darkroom.counting.confidence import EIGHTY
from validation.methods import Count

COLOURS = ("#0b7285", "#74b816", "#e8590c", "#868e96")
Counts = Mapping[str, Sequence[Count]]


def scatter(path: Path, true: Sequence[float], counts: Counts) -> None:
    """Counted against true plants, a dot a scene."""
    figure, axes = plt.subplots(figsize=(7, 7))
    end = max(true) * 1.6
    axes.plot([0, end], [0, end], color="#adb5bd", linewidth=1)
    for colour, (name, found) in zip(COLOURS, counts.items(), strict=False):
        axes.scatter(true, [count.total for count in found], s=14, color=colour, label=name)
    axes.set(xlabel="true plants", ylabel="counted plants", xlim=(0, end / 1.5), ylim=(0, end))
    axes.legend()
    _save(figure, path)


def by_axis(path: Path, errors: Mapping[str, Mapping[str, float]]) -> None:
    """Mean relative error by axis and method, cut at 100 %."""
    figure, axes = plt.subplots(figsize=(11, 5))
    methods = list(next(iter(errors.values())))
    width = 0.8 / len(methods)
    for number, (colour, method) in enumerate(zip(COLOURS, methods, strict=False)):
        heights = [min(found[method], 1.0) * 100 for found in errors.values()]
        places = np.arange(len(errors)) + number * width
        axes.bar(places, heights, width, color=colour, label=method)
    axes.set_xticks(np.arange(len(errors)) + 0.4 - width / 2, list(errors))
    axes.set_ylabel("mean error, % (cut at 100)")
    axes.legend()
    _save(figure, path)


def intervals(path: Path, true: Sequence[float], counts: Sequence[Count]) -> None:
    """How often intervals of every width hold the truth, against how often they should."""
    errors = [
        abs(count.total - plants) / max((count.interval[1] - count.total) / EIGHTY, 1e-9)
        for plants, count in zip(true, counts, strict=True)
        if count.interval
    ]
    nominal = np.linspace(0.05, 0.99, 40)
    draws = np.abs(np.random.default_rng(0).standard_normal(200_000))
    held = [float(np.mean(np.array(errors) <= np.quantile(draws, share))) for share in nominal]
    figure, axes = plt.subplots(figsize=(6, 6))
    axes.plot([0, 1], [0, 1], color="#adb5bd", linewidth=1)
    axes.plot(nominal, held, color=COLOURS[0])
    axes.set(xlabel="interval of", ylabel="held the truth", xlim=(0, 1), ylim=(0, 1))
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
