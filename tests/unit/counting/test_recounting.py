"""Estimating again with corrected boxes, without the models."""

import numpy as np
import pytest

from darkroom.counting.containers import Container
from darkroom.counting.parameters import Parameters
from darkroom.counting.review.estimating import Corrected, Standing, estimates, owners_of

GREEN, SOIL = (40, 160, 40), (90, 70, 50)
SIDE = 24


def square(x1: float, y1: float, x2: float, y2: float) -> np.ndarray:
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], float)


def boxes(places: list[tuple[int, int]]) -> np.ndarray:
    half = SIDE / 2
    return np.array([(x - half, y - half, x + half, y + half) for x, y in places], float).reshape(
        -1, 4
    )


PLACES = [(60 + 60 * column, 60 + 60 * row) for row in range(5) for column in range(5)]


@pytest.fixture
def photo() -> np.ndarray:
    """Twenty-five discs of green on soil, in the left half of a photo."""
    made = np.empty((360, 720, 3), np.uint8)
    made[:] = SOIL
    rows, columns = np.mgrid[:360, :720]
    for x, y in PLACES:
        made[(columns - x) ** 2 + (rows - y) ** 2 <= (SIDE / 2) ** 2] = GREEN
    grain = np.random.default_rng(1).normal(0, 12, made.shape)
    return np.clip(made + grain, 0, 255).astype(np.uint8)


def standing(faint: np.ndarray | None = None) -> list[Standing]:
    left = Container(square(10, 10, 350, 350), "box", 0.9)
    right = Container(square(370, 10, 710, 350), "box", 0.9)
    return [Standing(1, left, faint), Standing(2, right, faint)]


def again(
    photo: np.ndarray, seen: np.ndarray, changed: np.ndarray, left: np.ndarray, faint=None
) -> dict:
    corrected = Corrected(seen, np.full(len(seen), 0.9), changed, left)
    return estimates(photo, standing(faint), corrected, Parameters(), lambda *_: None)


def test_only_containers_that_a_change_reaches_into_are_estimated_again(photo):
    seen = boxes(PLACES)
    assert set(again(photo, seen, seen[:1], boxes([]))) == {1}
    assert set(again(photo, seen, boxes([(540, 100)]), boxes([]))) == {2}
    assert again(photo, seen, boxes([]), boxes([])) == {}


def test_a_plant_that_was_missed_and_is_added_is_estimated_no_more(photo):
    faint = np.column_stack([boxes(PLACES), np.full(25, 0.2)])
    before = again(photo, boxes(PLACES[:20]), boxes(PLACES[:1]), boxes([]), faint)[1]
    after = again(photo, boxes(PLACES), boxes(PLACES[20:]), boxes([]), faint)[1]
    assert before.detected == 20 and before.unbiased > 1
    assert (after.detected, after.estimated_count) == (25, 0)


def test_what_a_person_took_away_is_not_estimated_back(photo):
    gone = boxes(PLACES[20:])
    put_back = again(photo, boxes(PLACES[:20]), gone, boxes([]))[1]
    taken = again(photo, boxes(PLACES[:20]), gone, gone)[1]
    assert put_back.estimated_count >= 4
    assert (taken.detected, taken.estimated_count) == (20, 0)


def test_a_plant_seen_twice_and_taken_away_once_keeps_its_leaves(photo):
    seen, twice = boxes(PLACES), boxes(PLACES[:1])
    plain = again(photo, seen, twice, boxes([]))[1]
    cleared = again(photo, seen, twice, twice)[1]
    assert cleared.vegetation_fraction == plain.vegetation_fraction


def test_a_plant_beside_its_container_counts_with_the_nearest(photo):
    seen = np.concatenate([boxes(PLACES), boxes([(358, 180)])])
    assert owners_of(boxes([(358, 180), (366, 20)]), standing()).tolist() == [1, 2]
    found = again(photo, seen, boxes([(358, 180)]), boxes([]))[1]
    assert found.detected == 26
    assert found.confidence.total == pytest.approx(26 + found.unbiased)
