"""Whole photos through the models: what the product itself would count."""

from dataclasses import dataclass

import numpy as np
from scenes.truth import Photo

from darkroom.counting.containers import crops
from darkroom.counting.photo import CountedContainer, PhotoCounter
from darkroom.counting.quality import reasons
from validation.axes import Case, Part
from validation.methods import (
    Count,
    Grid,
    cells,
    counted,
    detections_only,
    the_seed_s,
)

SLICE = 512


@dataclass(frozen=True)
class Result:
    """A photo as each method counts it, and whether a person would be asked to look."""

    truth: Grid
    counts: dict[str, Count]
    needs_review: bool


def count(counter: PhotoCounter, photo: Photo) -> Result:
    """Count a photo in every way; the other ways get our containers and detections."""
    found = counter.count(photo.image, lambda *told: None)
    case = _case(photo, found)
    seen = detections_only(case)
    results = [part.estimate for part in found]
    shape = photo.image.shape
    truth = np.array([known.centre for known in photo.plants], float).reshape(-1, 2)
    return Result(
        truth=cells(truth, shape),
        counts={
            "ours": counted(results, seen.grid, shape, lambda result: result.unbiased),
            "ours, buffered": counted(
                results, seen.grid, shape, lambda result: result.estimated_count
            ),
            "seed's formula": the_seed_s(case),
            "detections only": seen,
        },
        needs_review=bool(reasons(photo.image, found, SLICE))
        or any(result.needs_review for result in results),
    )


def _case(photo: Photo, found: list[CountedContainer]) -> Case:
    shape = photo.image.shape[:2]
    cut = crops([part.container for part in found], (shape[0], shape[1]))
    parts = []
    for part, crop in zip(found, cut, strict=True):
        mask = np.zeros(shape, np.uint8)
        if crop is not None:
            mask[crop.y1 : crop.y2, crop.x1 : crop.x2] = crop.mask
            parts.append(Part(mask, np.zeros((0, 4)), part.plants.boxes))
    return Case("photos", "", photo.image, tuple(parts))
