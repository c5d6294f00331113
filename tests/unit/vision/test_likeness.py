"""Distances are 0 for the same and grow with what they measure, not with anything else."""

from pathlib import Path

import numpy as np
import pytest
from scenes import anchored

from darkroom.sandbox.pictures import light
from darkroom.vision.faces import identity_distance, installed
from darkroom.vision.likeness import content_distance, layout_distance, palette_distance

PICTURE = anchored.picture(1)


def test_a_picture_lies_at_no_distance_from_itself() -> None:
    assert palette_distance(PICTURE, PICTURE) == 0
    assert layout_distance(PICTURE, PICTURE) == pytest.approx(0, abs=1e-5)
    assert content_distance(PICTURE, PICTURE) == 0


def test_colours_that_move_further_lie_further_apart() -> None:
    casts = [light.toned(PICTURE, 1 + cast, 1, 1 - cast) for cast in (0.05, 0.1, 0.2, 0.3)]
    distances = [palette_distance(PICTURE, each) for each in casts]
    assert distances == sorted(distances)
    assert distances[-1] > 3 * distances[0]


def test_the_palette_is_blind_to_where_colours_are_and_the_layout_to_colours() -> None:
    mirrored = anchored.REFRAMED["mirrored"](PICTURE)
    recoloured = anchored.hue_turned(PICTURE, 180)
    assert palette_distance(PICTURE, mirrored) < 0.1 < palette_distance(PICTURE, recoloured)
    assert layout_distance(PICTURE, recoloured) < 0.02 < layout_distance(PICTURE, mirrored)


def test_a_palette_distance_is_the_same_both_ways_and_at_other_sizes() -> None:
    other = anchored.picture(2)
    distance = palette_distance(PICTURE, other)
    assert palette_distance(other, PICTURE) == pytest.approx(distance)
    smaller = anchored.CAREFUL["smaller"](other)
    assert palette_distance(PICTURE, smaller) == pytest.approx(distance, rel=0.05)


def test_a_black_picture_has_distances_too() -> None:
    black = np.zeros((50, 80, 3), np.uint8)
    assert np.isfinite(palette_distance(black, PICTURE))
    assert layout_distance(black, PICTURE) == pytest.approx(1)


def test_a_plain_reference_cannot_be_looked_for() -> None:
    assert content_distance(np.full((300, 300, 3), 90, np.uint8), PICTURE) is None


def test_identity_goes_by_the_face_that_is_kept_least() -> None:
    ann, ben, eve = np.eye(3, dtype=np.float32)
    assert identity_distance(np.stack([ann, ben]), np.stack([ben, eve, ann])) == 0
    assert identity_distance(np.stack([ann, ben]), np.stack([ann, eve])) == 1
    assert identity_distance(ann[None], np.zeros((0, 3), np.float32)) == 2


def test_without_weights_no_face_model_is_installed(tmp_path: Path) -> None:
    assert installed(tmp_path) is None
