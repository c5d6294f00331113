"""Moves a plant detector's scores so that the confidence it is used at (0.30) is its best one.

    python scripts/calibrate_weights.py src/darkroom/vision/weights/plants.pt

Trained on tiles, a network sees few without a plant and is too sure of moss on a whole photo. On
generated photos this finds the score at which as many boxes are kept as there are plants, and
shifts the class logits by the difference. The order of the scores stays as it was, and with it
everything that depends on the order.
"""

import argparse
import os
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
from make_photos import load_shared, make_photo
from numpy.typing import NDArray
from scenes.real import RealTray
from scenes.truth import Photo

from darkroom.counting.containers import Container, assign, crops
from darkroom.settings import CountingSettings
from darkroom.vision.detect import PlantDetector
from darkroom.vision.runtime import prepare
from darkroom.vision.weights import load_checked

Floats = NDArray[np.float64]

SEEDS = range(7_000_000, 7_000_040)
SIZES = ((1200, 900), (1600, 1200), (2400, 1800))
LEVELS = np.arange(0.1, 0.9, 0.02)
SAME = 0.4
"""Intersection over union from which on a box shows the plant."""


@dataclass(frozen=True)
class Found:
    """All boxes of all photos: their scores (N,), whether each shows a plant of its own (N,)."""

    scores: Floats
    hits: NDArray[np.bool_]
    true: int

    def f1(self, level: float) -> float:
        """The harmonic mean of precision and recall at a confidence."""
        kept = self.scores >= level
        return float(2 * self.hits[kept].sum() / max(kept.sum() + self.true, 1))


def measure(detector: PlantDetector, photos: list[Photo]) -> Found:
    """Run the detector over the photos' containers, as counting does, against the truth."""
    scores, hits = [], []
    for photo in photos:
        boxes, found = _detected(detector, photo)
        order = np.argsort(-found, kind="stable")
        scores.append(found[order])
        hits.append(_hits(boxes[order], photo))
    true = sum(len(photo.plants) for photo in photos)
    return Found(np.concatenate(scores), np.concatenate(hits), true)


def _detected(detector: PlantDetector, photo: Photo) -> tuple[Floats, Floats]:
    """Boxes (N, 4) and scores (N,) of all containers, each plant in the container it stands in."""
    places = [Container(c.polygon.astype(float), "segment", 1) for c in photo.containers]
    boxes, scores, sources = [np.empty((0, 4))], [np.empty(0)], []
    for place, crop in enumerate(crops(places, photo.image.shape[:2])):
        if crop is not None:
            part = np.ascontiguousarray(crop.of(photo.image))
            found = detector.detect(part, confidence=float(LEVELS[0]))
            boxes.append(crop.abroad(found.boxes.astype(float)))
            scores.append(found.scores.astype(float))
            sources += [place] * len(found)
    everything, sure = np.concatenate(boxes), np.concatenate(scores)
    owned = assign(everything, sure, np.array(sources, int), [p.polygon for p in places]) >= 0
    return everything[owned], sure[owned]


def _hits(boxes: Floats, photo: Photo) -> NDArray[np.bool_]:
    """Which boxes, best first, show a plant that no better one shows."""
    plants = np.array([plant.box for plant in photo.plants], float).reshape(-1, 4)
    free = np.ones(len(plants), np.bool_)
    hits = np.zeros(len(boxes), np.bool_)
    for place, box in enumerate(boxes):
        shared = np.where(free, _overlaps(box, plants), 0)
        if len(shared) and shared.max() >= SAME:
            hits[place], free[shared.argmax()] = True, False
    return hits


def _overlaps(box: Floats, others: Floats) -> Floats:
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = sides.clip(0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    return np.asarray(common / ((box[2:] - box[:2]).prod() + areas - common))


def shift(path: Path, delta: float) -> None:
    """Add `delta` to the class logits of a YOLO checkpoint, in place."""
    import torch

    checkpoint = load_checked(path)
    head = checkpoint["model"].model[-1]
    for branch in head.cv3:
        branch[-1].bias.data += delta
    temporary = path.with_suffix(".tmp")
    torch.save(checkpoint, temporary)
    os.replace(temporary, path)


def calibrate(path: Path, real: RealTray | None, cache: Path) -> float:
    """Shift a detector's scores in place; returns the confidence that becomes the standard one."""
    prepare(cache)
    photos = [make_photo(seed, SIZES[seed % len(SIZES)], real=real) for seed in SEEDS]
    found = measure(PlantDetector(path, cache_dir=cache, device="cpu"), photos)
    for level in LEVELS[::4]:
        kept = int((found.scores >= level).sum())
        print(f"confidence {level:.2f}: {kept} of {found.true} plants, F1 {found.f1(level):.3f}")
    best = min(LEVELS, key=lambda level: abs((found.scores >= level).sum() - found.true))
    standard = CountingSettings().confidence
    shift(path, _logit(standard) - _logit(best))
    print(f"{path.name}: best at {best:.2f} (F1 {found.f1(best):.3f}), moved to {standard:.2f}")
    return float(best)


def _logit(score: float) -> float:
    return log(score / (1 - score))


def main() -> None:
    """Calibrate the file that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("build") / "calibration")
    given = parser.parse_args()
    calibrate(given.weights, load_shared(), given.cache)


if __name__ == "__main__":
    main()
