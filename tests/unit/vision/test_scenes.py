"""Generated photos are repeatable and their truth fits their pixels."""

import numpy as np
import pytest
from scenes.photo import make_photo, retake
from scenes.tiles import cut_tile
from scenes.truth import KINDS

SIZE = (640, 480)


def test_the_same_seed_draws_the_same_photo() -> None:
    one, other = make_photo(3, SIZE), make_photo(3, SIZE)
    assert (one.image == other.image).all()
    assert one.plants == other.plants


def test_other_seeds_draw_other_photos() -> None:
    assert (make_photo(3, SIZE).image != make_photo(4, SIZE).image).any()


@pytest.mark.parametrize("seed", range(6))
def test_truth_lies_inside_the_frame(seed: int) -> None:
    photo = make_photo(seed, SIZE)
    assert photo.image.shape == (480, 640, 3)
    for plant in photo.plants:
        x1, y1, x2, y2 = plant.box
        assert 0 <= x1 <= plant.centre[0] <= x2 <= 640
        assert 0 <= y1 <= plant.centre[1] <= y2 <= 480
    for container in photo.containers:
        assert container.kind in KINDS
        assert (container.polygon >= -1).all()
        assert (container.polygon <= np.array(SIZE) + 1).all()


def test_a_full_photo_holds_about_the_plants_asked_for() -> None:
    assert len(make_photo(1, (1600, 1200), places=300).plants) == pytest.approx(300, rel=0.1)


def test_a_photo_taken_again_keeps_plants_that_stay_in_the_frame() -> None:
    photo = make_photo(1, (800, 600), places=40)
    again = retake(5, photo, (800, 600))
    assert again.image.shape == photo.image.shape
    assert 0 < len(again.plants) <= len(photo.plants)


def test_a_tile_holds_the_plants_whose_centre_it_shows() -> None:
    photo = make_photo(1, (800, 600), places=40)
    image, rows = cut_tile(photo, (100, 100), 300, 320)
    shown = [p for p in photo.plants if all(100 < at < 400 for at in p.centre)]
    assert image.shape == (320, 320, 3)
    assert len(rows) == len(shown)
    assert ((rows[:, 1:] >= 0) & (rows[:, 1:] <= 1)).all()


def test_what_a_tile_shows_beyond_the_photo_is_grey() -> None:
    image, _ = cut_tile(make_photo(1, (400, 200)), (0, 0), 400, 320)
    assert (image[200:] == 114).all()
