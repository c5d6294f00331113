import numpy as np
import pytest
from numpy.typing import NDArray

from darkroom.counting.calibration import (
    DEFAULT_WEIGHT,
    PRIOR_WEIGHT,
    cover,
    plant_areas,
    settled_share,
)
from darkroom.counting.view import View, band_edges, view_of


def _view(heights: list[float]) -> View:
    mask = np.full((100, 100), 255, np.uint8)
    boxes = np.array([[45, y - 3, 55, y + 3] for y in heights], float).reshape(-1, 4)
    return view_of(np.zeros((100, 100, 3), np.uint8), mask, boxes, band_edges(mask), 40)


def _areas(heights: list[float], areas: list[float], default: float = 40) -> NDArray[np.float64]:
    return plant_areas(np.array(areas, float), _view(heights), default)


def test_a_plant_s_area_is_its_leaves_and_not_its_box() -> None:
    leaves = np.zeros((100, 100), bool)
    leaves[45:55, 42:58] = True
    covered = cover(leaves, np.array([[40.0, 40, 60, 60]]))
    assert covered.areas.tolist() == [160]


def test_plants_that_overlap_share_what_they_cover() -> None:
    leaves = np.ones((100, 100), bool)
    covered = cover(leaves, np.array([[20.0, 30, 50, 60], [30, 30, 60, 60]]))
    assert covered.areas.sum() == pytest.approx((covered.counts > 0).sum())
    assert covered.areas[0] == pytest.approx(covered.areas[1], rel=0.01)


def test_every_band_has_its_own_size() -> None:
    heights = [10.0] * 30 + [35.0] * 30 + [60.0] * 30 + [85.0] * 30
    sizes = _areas(heights, [10.0] * 30 + [20.0] * 30 + [40.0] * 30 + [80.0] * 30)
    assert sizes == pytest.approx([10, 20, 40, 80], rel=0.1)


def test_outliers_do_not_shift_the_size() -> None:
    heights = [10.0] * 30
    assert _areas(heights, [20.0] * 29 + [900.0])[0] == pytest.approx(20, rel=0.01)


def test_a_band_without_plants_follows_the_trend_of_the_others() -> None:
    heights = [10.0] * 9 + [35.0] * 9 + [60.0] * 9
    sizes = _areas(heights, [10.0] * 9 + [20.0] * 9 + [40.0] * 9)
    assert sizes[3] == pytest.approx(80, rel=0.1)


def test_the_trend_does_not_run_away() -> None:
    heights = [10.0] * 9 + [14.0] * 9
    sizes = _areas(heights, [10.0] * 9 + [20.0] * 9)
    assert sizes[3] <= 40


def test_few_plants_are_shrunk_to_what_the_other_bands_show() -> None:
    sizes = _areas([10.0] * 7 + [35.0], [20.0] * 7 + [80.0])
    assert sizes[1] == pytest.approx((80 + PRIOR_WEIGHT * 20) / (1 + PRIOR_WEIGHT))


def test_one_plant_elsewhere_is_worth_one_plant() -> None:
    assert _areas([10.0, 35.0], [20.0, 80.0])[:2] == pytest.approx([50, 50])


def test_a_default_weighs_little_against_plants_that_were_seen() -> None:
    sizes = _areas([10.0, 11.0], [20.0, 20.0], default=400)
    assert sizes[0] == pytest.approx((40 + DEFAULT_WEIGHT * 400) / (2 + DEFAULT_WEIGHT))


def test_without_any_plant_the_default_stands() -> None:
    assert _areas([], [], default=123).tolist() == [123] * 4


def test_detections_without_leaves_leave_a_size_to_divide_by() -> None:
    assert (_areas([10.0] * 9, [0.0] * 9, default=0.1) >= 1).all()


def test_plants_that_stand_alone_leave_over_all_of_themselves() -> None:
    share = settled_share(20.0, 0.0, np.array([5, 5, 5, 5]), np.array([1.0, 2, 0, 3]))
    assert share == pytest.approx([1, 1, 1, 1])


def test_detected_neighbours_hide_a_part_of_what_was_missed() -> None:
    # Each plant has 0.5 alone and shares 0.25 with each of two neighbours, one of which is found.
    found, recall = np.array([40, 40, 40, 40]), 0.8
    single, shared = 160 * (0.5 + 2 * 0.5 * (1 - recall)), 160 * 0.5 * recall
    missed = 40 / recall - 40
    left = np.full(4, missed * (0.5 + 0.5 * (1 - recall)))
    share = settled_share(single, shared, found, left)
    assert left / share == pytest.approx([missed] * 4, rel=0.15)
    assert (share < 0.8).all()


def test_where_nothing_was_found_nothing_hides_the_missed() -> None:
    share = settled_share(30.0, 15.0, np.array([0, 20, 20, 20]), np.array([15.0, 0, 0, 0]))
    assert share[0] == pytest.approx(1, abs=0.05)


def test_no_detections_hide_nothing() -> None:
    assert settled_share(0.0, 0.0, np.zeros(4, int), np.ones(4)).tolist() == [1, 1, 1, 1]
