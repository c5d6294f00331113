import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from darkroom.counting import view as views
from darkroom.counting.view import BANDS, WORKING_SIDE, View, band_edges, view_of


def _view(top: int, height: int, boxes: np.ndarray | None = None) -> View:
    mask = np.zeros((top + height + 3, 7), np.uint8)
    mask[top : top + height] = 255
    image = np.zeros((*mask.shape, 3), np.uint8)
    return view_of(image, mask, np.zeros((0, 4)) if boxes is None else boxes, band_edges(mask), 9)


@given(some.integers(0, 40), some.integers(1, 90))
def test_every_row_of_the_mask_lies_in_exactly_one_band(top: int, height: int) -> None:
    edges = band_edges(_view(top, height).mask)
    homes = [
        [band for band in range(BANDS) if edges[band] <= row < edges[band + 1]]
        for row in range(top, top + height)
    ]
    assert all(len(home) == 1 for home in homes)
    assert (edges[0], edges[-1]) == (top, top + height)


@given(some.integers(0, 40), some.integers(4, 90))
def test_bands_are_of_equal_height(top: int, height: int) -> None:
    heights = np.diff(band_edges(_view(top, height).mask))
    assert heights.max() - heights.min() <= 1


@given(some.integers(0, 40), some.integers(1, 90))
def test_areas_of_the_bands_add_up_to_the_area_of_the_mask(top: int, height: int) -> None:
    view = _view(top, height)
    assert view.areas(view.mask > 0).sum() == 7 * height


def test_a_plant_on_the_border_of_two_bands_belongs_to_the_lower_one() -> None:
    middles = np.array([0.0, 24.9, 25.0, 50.0, 75.0, 99.9])
    boxes = np.stack([middles * 0, middles - 1, middles * 0 + 2, middles + 1], axis=1)
    assert _view(0, 100, boxes).bands.tolist() == [0, 0, 1, 2, 3, 3]


def test_bands_follow_the_mask_and_not_the_crop() -> None:
    assert band_edges(_view(40, 80).mask).tolist() == [40, 60, 80, 100, 120]


def test_an_empty_mask_is_refused() -> None:
    with pytest.raises(ValueError, match="mask is empty"):
        band_edges(np.zeros((5, 5), np.uint8))


def test_values_by_band_become_values_by_row() -> None:
    rows = _view(2, 8).by_row(np.array([1.0, 2, 3, 4]))
    assert rows.tolist() == [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4]


def test_large_plants_are_reduced_to_the_working_size() -> None:
    mask = np.full((800, 600), 255, np.uint8)
    boxes = np.array([[100.0, 100, 260, 260]])
    view = view_of(np.zeros((800, 600, 3), np.uint8), mask, boxes, band_edges(mask), 9)
    assert view.image.shape == (200, 150, 3) and view.mask.shape == (200, 150)
    assert view.side == pytest.approx(WORKING_SIDE)
    assert view.boxes.tolist() == [[25, 25, 65, 65]]
    assert view.edges.tolist() == [0, 50, 100, 150, 200]
    assert view.scale == pytest.approx(0.25)


def test_small_plants_are_not_enlarged() -> None:
    assert _view(0, 100).scale == 1


def test_a_container_too_large_to_be_worked_on_is_reduced_whatever_its_plants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "LARGEST", 10_000)
    mask = np.full((200, 300), 255, np.uint8)
    plant = np.array([[30.0, 30, 50, 50]])
    view = view_of(np.zeros((200, 300, 3), np.uint8), mask, plant, band_edges(mask), 400)
    assert view.mask.size == pytest.approx(10_000, rel=0.03)
    assert view.boxes[0] == pytest.approx(plant[0] * view.scale, rel=0.03)
    assert view.crop_edges.tolist() == [0, 50, 100, 150, 200]
    assert view.areas(view.mask > 0) / view.scale**2 == pytest.approx([15_000] * 4, rel=0.03)
