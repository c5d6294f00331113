"""Whole photos through both models: containers, plants, estimate."""

from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
from scenes.photo import make_photo

from darkroom.counting.parameters import Parameters
from darkroom.counting.photo import PhotoCounter
from darkroom.settings import CountingSettings
from darkroom.vision.detect import Image, PlantDetector
from darkroom.vision.segment import ContainerSegmenter


@pytest.fixture(scope="module")
def counter(segmenter: ContainerSegmenter, detector: PlantDetector) -> PhotoCounter:
    settings = CountingSettings()
    held = partial(nullcontext, detector)
    return PhotoCounter(segmenter, held, settings, Parameters(expected_kind="box"))


def _silent(container: int, containers: int, done: int, slices: int) -> None:
    pass


def test_a_container_that_the_segmenter_doubts_counts_where_plants_are_seen_in_it(
    counter: PhotoCounter, segmenter: ContainerSegmenter
) -> None:
    photo = make_photo(8_000_078, (2000, 1500))
    sure = segmenter.segment(photo.image)
    found = counter.count(photo.image, _silent)
    assert len(found) > len(sure)
    total = sum(part.estimate.total for part in found)
    assert total == pytest.approx(len(photo.plants), rel=0.15)


def test_where_no_container_is_found_the_photo_is_one_of_the_kind_expected(
    counter: PhotoCounter,
) -> None:
    bare: Image = np.full((480, 640, 3), 90, np.uint8)
    (only,) = counter.count(bare, _silent)
    assert (only.container.kind, only.is_segmented, len(only.plants)) == ("box", False, 0)
    assert only.estimate.total == 0


def test_what_was_half_seen_is_kept_beside_what_was_seen(counter: PhotoCounter) -> None:
    photo = make_photo(8_000_009, (1200, 900))
    for part in counter.count(photo.image, _silent):
        assert (part.plants.scores >= 0.3).all()
        assert ((part.faint.scores >= 0.1) & (part.faint.scores < 0.3)).all()
        assert part.estimate.unbiased <= len(part.faint)


def test_no_plant_is_counted_in_two_containers(counter: PhotoCounter) -> None:
    photo = make_photo(8_000_072, (1200, 900))
    boxes = np.concatenate([part.plants.boxes for part in counter.count(photo.image, _silent)])
    assert len(np.unique(boxes.round(1), axis=0)) == len(boxes)
