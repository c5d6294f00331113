import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from darkroom.counting.geometry import (
    ellipses,
    largest_remainder,
    multipolygon,
    outlines,
)

weights = some.lists(some.floats(0, 1e6), min_size=1, max_size=12)


@given(weights, some.integers(0, 100_000))
def test_shares_add_up_to_the_total(given_weights: list[float], total: int) -> None:
    assert sum(largest_remainder(given_weights, total)) == total


@given(weights.filter(lambda given_weights: sum(given_weights) > 1e-3), some.integers(0, 10_000))
def test_each_share_is_within_one_of_its_quota(given_weights: list[float], total: int) -> None:
    shares = largest_remainder(given_weights, total)
    quotas = [weight / sum(given_weights) * total for weight in given_weights]
    assert all(abs(share - quota) < 1 + 1e-6 for share, quota in zip(shares, quotas, strict=True))


def test_what_is_left_goes_to_the_largest_fractions() -> None:
    assert largest_remainder([1.6, 0.3, 2.1], 4) == [2, 0, 2]
    assert largest_remainder([0.4, 0.35, 0.25, 0.0], 1) == [1, 0, 0, 0]


def test_nothing_shared_out_gives_nothing_to_anyone() -> None:
    assert largest_remainder([0, 0, 0, 0], 0) == [0, 0, 0, 0]


def test_an_ellipse_fills_its_share_of_the_box() -> None:
    ((_, inside),) = ellipses(np.array([[10.0, 20, 90, 60]]), 1, (100, 100))
    assert inside.sum() == pytest.approx(np.pi / 4 * 80 * 40, rel=0.01)


def test_an_ellipse_is_cut_at_the_frame() -> None:
    boxes = np.array([[-20.0, -20, 20, 20], [300, 300, 320, 320]])
    (first, corner), (outside, nothing) = ellipses(boxes, 1, (50, 60))
    assert first == (slice(0, 20), slice(0, 20))
    assert corner.sum() == pytest.approx(np.pi * 400 / 4, rel=0.02)
    assert outside == (slice(50, 50), slice(60, 60)) and nothing.size == 0


def test_outlines_keep_the_holes_of_a_region() -> None:
    mask = np.zeros((60, 60), bool)
    mask[10:50, 10:50] = True
    mask[20:30, 20:30] = False
    mask[52:58, 2:8] = True
    regions = outlines(mask, 0.5)
    assert sorted(len(rings) for rings in regions) == [1, 2]
    assert (_filled(regions, mask.shape) == mask).mean() > 0.99


def test_regions_without_width_have_no_outline() -> None:
    mask = np.zeros((20, 20), bool)
    mask[3, 3] = mask[10, 2:18] = True
    assert outlines(mask, 0.5) == []


def test_an_empty_mask_has_no_outlines() -> None:
    assert outlines(np.zeros((5, 5), bool), 1) == []


def test_geojson_rings_are_closed_scaled_and_moved() -> None:
    square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    geojson = multipolygon([[square]], 2, (100, 10))
    assert geojson["type"] == "MultiPolygon"
    assert geojson["coordinates"] == [
        [[[101, 11], [109, 11], [109, 19], [101, 19], [101, 11]]],
    ]


def _filled(regions: list[list[np.ndarray]], shape: tuple[int, ...]) -> np.ndarray:
    layer = np.zeros(shape, np.uint8)
    for rings in regions:
        cv2.fillPoly(layer, [ring.astype(np.int32) for ring in rings], 1)
    return layer.astype(bool)
