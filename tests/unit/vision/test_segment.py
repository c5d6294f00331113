"""Containers come as polygons that hold their plants and never overlap."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes.photo import make_photo

from darkroom.errors import Permanent
from darkroom.vision import weights
from darkroom.vision.segment import ContainerSegmenter

DRAWN = [make_photo(seed, (1200, 900)) for seed in range(8_100_000, 8_100_006)]


def test_most_plants_lie_in_a_found_container(segmenter: ContainerSegmenter) -> None:
    held = total = 0
    for photo in DRAWN:
        found = segmenter.segment(photo.image)
        total += len(photo.plants)
        held += sum(
            any(cv2.pointPolygonTest(item.polygon, plant.centre, False) >= 0 for item in found)
            for plant in photo.plants
        )
    assert held >= 0.9 * total


def test_containers_claim_nothing_twice(segmenter: ContainerSegmenter) -> None:
    for photo in DRAWN:
        claims = np.zeros(photo.image.shape[:2], np.int32)
        for item in segmenter.segment(photo.image):
            mask = np.zeros(photo.image.shape[:2], np.uint8)
            cv2.fillPoly(mask, [item.polygon.astype(np.int32)], 1)
            claims += mask
        assert (claims > 1).mean() < 0.02


def test_a_container_says_its_kind_and_bounds(segmenter: ContainerSegmenter) -> None:
    for item in segmenter.segment(DRAWN[0].image):
        assert item.kind in {"plug", "box", "segment"}
        assert 0.3 <= item.confidence <= 1
        assert item.box.tolist() == [*item.polygon.min(axis=0), *item.polygon.max(axis=0)]


def test_an_empty_frame_holds_no_container(segmenter: ContainerSegmenter) -> None:
    assert segmenter.segment(np.full((600, 800, 3), 128, np.uint8)) == []


def test_plant_weights_are_no_segmenter(model_cache: Path) -> None:
    with pytest.raises(Permanent, match="segmenter"):
        ContainerSegmenter(weights.bundled("plants"), cache_dir=model_cache, device="cpu")
