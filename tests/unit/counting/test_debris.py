"""What is too small to be a plant of its container."""

import numpy as np
import pytest

from darkroom.counting.debris import debris


def squares(*sides: float) -> np.ndarray:
    """Boxes of these sides, side by side."""
    return np.array([[200.0 * n, 0.0, 200.0 * n + side, side] for n, side in enumerate(sides)])


def test_a_doubtful_speck_beside_sure_plants_is_debris() -> None:
    found = debris(squares(80, 82, 78, 30), np.array([0.8, 0.7, 0.9, 0.35]), np.zeros(4, int))
    assert found.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("side", "score"), [(30, 0.44), (60, 0.31)], ids=["a likely one", "one nearly as large"]
)
def test_what_is_likely_or_alike_stays(side: float, score: float) -> None:
    found = debris(squares(80, 82, 78, side), np.array([0.8, 0.7, 0.9, score]), np.zeros(4, int))
    assert not found.any()


def test_small_plants_of_a_container_of_their_own_stay() -> None:
    boxes = squares(80, 82, 78, 20, 21, 22, 19)
    scores = np.array([0.8, 0.7, 0.9, 0.6, 0.7, 0.8, 0.35])
    assert not debris(boxes, scores, np.array([0, 0, 0, 1, 1, 1, 1])).any()


def test_a_container_without_sure_plants_is_judged_by_the_photos() -> None:
    found = debris(
        squares(80, 82, 78, 20, 21),
        np.array([0.8, 0.7, 0.9, 0.35, 0.35]),
        np.array([0, 0, 0, 1, 1]),
    )
    assert found.tolist() == [False, False, False, True, True]


def test_where_nothing_is_sure_everything_stays() -> None:
    assert not debris(squares(80, 20), np.array([0.35, 0.35]), np.array([0, 0])).any()


def test_no_boxes_are_no_debris() -> None:
    assert debris(np.empty((0, 4)), np.empty(0), np.empty(0, int)).tolist() == []
