"""The targets of the estimate, checked one by one."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scenes.looks import Look, draw

from darkroom.counting.bands import estimate
from validation.axes import Case, cases
from validation.figures import Figures
from validation.methods import Count, ours, true_grid


@dataclass(frozen=True)
class Target:
    """What was aimed at, what was measured, and whether that is met."""

    name: str
    measured: str
    is_met: bool


@dataclass(frozen=True)
class Measured:
    """Scenes and how we counted them."""

    cases: Sequence[Case]
    counts: Sequence[Count]

    @classmethod
    def over(cls, seeds: range) -> "Measured":
        """All axes, once a seed."""
        found = list(cases(seeds))
        return cls(found, [ours(case) for case in found])

    def on(self, axis: str) -> "Measured":
        """Those of one axis."""
        return self._of([n for n, case in enumerate(self.cases) if case.axis == axis])

    def _of(self, chosen: Sequence[int]) -> "Measured":
        return Measured([self.cases[n] for n in chosen], [self.counts[n] for n in chosen])

    @property
    def estimated(self) -> "Measured":
        """Those where something was estimated: intervals of nothing always hold."""
        chosen = [
            n
            for n, case in enumerate(self.cases)
            if self.counts[n].total > sum(len(part.found) for part in case.parts)
        ]
        return self._of(chosen)

    @property
    def figures(self) -> Figures:
        return Figures.of([true_grid(case) for case in self.cases], self.counts)


def targets(measured: Measured) -> Iterator[Target]:
    """The targets, but for the time, which depends on the machine."""
    whole = measured.figures
    yield Target(
        "total error under 3 %", f"{whole.total_error:+.1%}", abs(whole.total_error) < 0.03
    )
    yield Target("mean error of a scene under 10 %", f"{whole.mape:.1%}", whole.mape < 0.10)
    worst = max((measured.on(axis).figures.mape, axis) for axis in _axes(measured))
    yield Target("no axis beyond 10 %", f"{worst[0]:.1%} ({worst[1]})", worst[0] < 0.10)
    yield _adds_nothing(measured.on("all detected"), "where all are detected nothing is added")
    yield _adds_nothing(measured.on("empty"), "an empty container gives nothing")
    yield _scales(measured.on("resolution"))
    held = measured.estimated.figures.coverage or 0.0
    yield Target("the 80 % interval holds in 70 to 90 %", f"{held:.0%}", 0.7 <= held <= 0.9)


def timing() -> Target:
    """Four bands of a container of 1200 by 900 pixels: processor time of all threads, best of ten.

    On a machine that does nothing else the clock shows no more.
    """
    look = Look(width=1200, height=900, columns=20, rows=15, perspective=0.3, moss=0.2)
    scene = draw(look)
    found = scene.detected(0.8)
    times = []
    for _ in range(10):
        started = time.process_time()
        estimate(scene.image, scene.mask, found, "box")
        times.append(time.process_time() - started)
    name = "four bands of 1200x900 in 100 ms"
    return Target(name, f"{min(times) * 1000:.0f} ms", min(times) <= 0.1)


def _axes(measured: Measured) -> list[str]:
    return sorted({case.axis for case in measured.cases if case.truth})


def _adds_nothing(measured: Measured, name: str) -> Target:
    added = [
        count.total - sum(len(part.found) for part in case.parts)
        for case, count in zip(measured.cases, measured.counts, strict=True)
    ]
    return Target(name, f"{max(added, default=0):.2f} plants", max(added, default=0) == 0)


def _scales(measured: Measured) -> Target:
    """Half and twice the resolution against the scene as it was."""
    totals: dict[str, list[float]] = {}
    for case, count in zip(measured.cases, measured.counts, strict=True):
        totals.setdefault(case.level, []).append(count.total)
    off = max(
        abs(scaled / base - 1)
        for level in ("0.5x", "2.0x")
        for base, scaled in zip(totals["1.0x"], totals[level], strict=True)
    )
    return Target("0.5 and 2 times the scale within 3 %", f"{off:.1%}", off <= 0.03)
