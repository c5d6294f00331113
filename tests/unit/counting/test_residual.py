import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from darkroom.counting.residual import clean


def _mask() -> NDArray[np.uint8]:
    return np.zeros((200, 200), np.uint8)


def _cleaned(mask: NDArray[np.uint8], area: float = 1000) -> NDArray[np.bool_]:
    return clean(mask > 0, np.full(len(mask), area))


def test_a_ring_of_leaf_fringe_is_taken_away() -> None:
    mask = _mask()
    cv2.circle(mask, (100, 100), 20, (255,), 3)
    assert not _cleaned(mask).any()


def test_a_whole_plant_stays_as_it_is() -> None:
    mask = _mask()
    cv2.circle(mask, (100, 100), 18, (255,), -1)
    assert _cleaned(mask).sum() == pytest.approx((mask > 0).sum(), rel=0.02)


def test_regions_smaller_than_a_quarter_of_a_plant_fall_out() -> None:
    mask = _mask()
    cv2.circle(mask, (50, 50), 7, (255,), -1)
    cv2.circle(mask, (150, 150), 11, (255,), -1)
    left = _cleaned(mask)
    assert not left[:100].any() and left[100:].any()


def test_the_leaves_of_one_plant_count_together() -> None:
    mask = _mask()
    for place in ((92, 92), (108, 92), (92, 108), (108, 108)):
        cv2.circle(mask, place, 6, (255,), -1)
    assert _cleaned(mask).sum() == pytest.approx((mask > 0).sum(), rel=0.02)


def test_what_is_fringe_depends_on_the_size_of_the_plants() -> None:
    mask = _mask()
    cv2.circle(mask, (100, 100), 8, (255,), -1)
    assert _cleaned(mask, area=200).any()
    assert not _cleaned(mask, area=4000).any()


def test_sizes_may_differ_from_row_to_row() -> None:
    mask = _mask()
    for y in (50, 150):
        cv2.circle(mask, (100, y), 8, (255,), -1)
    left = clean(mask > 0, np.repeat([200.0, 4000.0], 100))
    assert left[:100].any() and not left[100:].any()


def test_nothing_left_over_stays_nothing() -> None:
    assert not _cleaned(_mask()).any()


def test_a_container_that_is_all_leaf_is_left_over_as_a_whole() -> None:
    mask = np.full((200, 200), 255, np.uint8)
    assert _cleaned(mask).all()
