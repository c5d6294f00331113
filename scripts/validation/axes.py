"""The scenes: one thing varied at a time, each with its truth and what a detector finds of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray
from scenes.looks import Look, Scene, draw

from darkroom.counting.geometry import centres

Boxes = NDArray[np.float64]
USUAL = 0.8
"""The detector's recall where that is not what varies."""
PLAIN = Look(cover=0.9, perspective=0.2, moss=0.1)


@dataclass(frozen=True)
class Part:
    """A container of a scene: its mask (H, W), true boxes (N, 4) and those found (M, 4)."""

    mask: NDArray[np.uint8]
    truth: Boxes
    found: Boxes


@dataclass(frozen=True)
class Case:
    """A scene with its containers; `axis` is what varies, `level` its value."""

    axis: str
    level: str
    image: NDArray[np.uint8]
    parts: tuple[Part, ...]

    @property
    def truth(self) -> int:
        """All plants of all containers."""
        return sum(len(part.truth) for part in self.parts)


LOOKS: dict[str, dict[str, Look]] = {
    "cover": {str(c): replace(PLAIN, cover=c) for c in (0.5, 0.7, 0.85, 1.0, 1.15, 1.3)},
    "perspective": {str(p): replace(PLAIN, perspective=p) for p in (0.0, 0.2, 0.35, 0.5, 0.6)},
    "moss": {str(m): replace(PLAIN, moss=m) for m in (0.0, 0.15, 0.3, 0.45, 0.6)},
    "hue": {str(h): replace(PLAIN, hue=h) for h in (42, 48, 55, 62, 70, 78)},
    "sparse": {str(s): replace(PLAIN, missing_cells=s) for s in (0.3, 0.5, 0.7, 0.85)},
    "size": {
        f"{c}x{r}": replace(PLAIN, columns=c, rows=r) for c, r in ((5, 4), (16, 12), (24, 18))
    },
}
RECALLS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
SCALES = (0.35, 0.5, 1.0, 1.5, 2.0, 3.0)


def cases(seeds: range) -> Iterator[Case]:
    """Every axis at every level, once a seed. No two draw the same plants, but for resolutions."""
    for seed in seeds:
        own = count(1000 * seed)
        yield from _recalls(own)
        for axis, levels in LOOKS.items():
            for level, look in levels.items():
                yield _case(axis, level, look, USUAL, next(own))
        yield from _resolutions(next(own))
        yield from _all_detected(own)
        yield from _empties(own)
        yield from _several(own)


def _case(axis: str, level: str, look: Look, recall: float, seed: int) -> Case:
    scene = draw(replace(look, seed=seed))
    part = Part(scene.mask, scene.boxes, scene.detected(recall, seed + 1))
    return Case(axis, level, scene.image, (part,))


def _recalls(seeds: Iterator[int]) -> Iterator[Case]:
    for recall in RECALLS:
        yield _case("recall", str(recall), PLAIN, recall, next(seeds))


def _resolutions(seed: int) -> Iterator[Case]:
    scene = draw(replace(PLAIN, seed=seed))
    found = scene.detected(USUAL, seed + 1)
    for factor in SCALES:
        other = scene if factor == 1 else scene.scaled(factor)
        part = Part(other.mask, other.boxes, found * factor)
        yield Case("resolution", f"{factor}x", other.image, (part,))


def _all_detected(seeds: Iterator[int]) -> Iterator[Case]:
    for name, look in (
        ("loose", Look(cover=0.7)),
        ("touching", Look(cover=1.0, moss=0.2)),
        ("overlapping", Look(cover=1.25, perspective=0.4)),
    ):
        yield _case("all detected", name, look, 1.0, next(seeds))


def _empties(seeds: Iterator[int]) -> Iterator[Case]:
    for moss in (0.0, 0.2, 0.5):
        look = Look(missing_cells=1, moss=moss)
        yield _case("empty", f"moss {moss}", look, 0.0, next(seeds))


def _several(seeds: Iterator[int]) -> Iterator[Case]:
    """Containers side by side and one within the corner of another; leaves reach across."""
    seed = next(seeds)
    scene = draw(replace(PLAIN, seed=seed, columns=14, rows=9, width=900, height=560))
    found = scene.detected(USUAL, seed + 1)
    height, width = scene.mask.shape
    rows, columns = np.mgrid[:height, :width]
    layouts = {
        "two": columns * 2 // width,
        "four": columns * 2 // width + 2 * (rows * 2 // height),
        "nested": ((columns > width * 0.55) & (rows > height * 0.5)).astype(int),
    }
    for name, owner in layouts.items():
        parts = tuple(_part(scene, found, owner == place) for place in range(owner.max() + 1))
        yield Case("several", name, scene.image, parts)


def _part(scene: Scene, found: Boxes, own: NDArray[np.bool_]) -> Part:
    mask = np.where(own, scene.mask, np.uint8(0))
    return Part(mask, scene.boxes[_within(scene.boxes, own)], found[_within(found, own)])


def _within(boxes: Boxes, own: NDArray[np.bool_]) -> NDArray[np.bool_]:
    columns, rows = centres(boxes).astype(int).T
    return own[rows.clip(0, len(own) - 1), columns.clip(0, own.shape[1] - 1)]
