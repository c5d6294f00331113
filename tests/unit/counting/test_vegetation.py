import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scenes.looks import Look, Scene, draw

from darkroom.counting.vegetation import (
    GREEN,
    ColourRange,
    Reference,
    excess,
    find,
    gate,
    reference_of,
)

NONE = np.zeros((0, 4))


def _pixels(*colours: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.array([colours], np.uint8)


def _filled(boxes: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    parts = [mask[int(y1) : int(y2), int(x1) : int(x2)].mean() for x1, y1, x2, y2 in boxes]
    return float(np.mean(parts))


def test_the_default_range_is_green_to_its_ends() -> None:
    ends = cv2.cvtColor(
        np.array([[[34, 255, 255], [35, 255, 255], [85, 255, 255], [86, 255, 255]]], np.uint8),
        cv2.COLOR_HSV2RGB,
    )
    assert (gate(np.asarray(ends, np.uint8), GREEN) > 0).tolist() == [[False, True, True, False]]


def test_a_range_may_run_through_red() -> None:
    red = ColourRange((170, 40, 40), (10, 255, 255))
    colours = _pixels((200, 30, 30), (200, 30, 60), (30, 200, 30), (30, 30, 200))
    assert (gate(colours, red) > 0).tolist() == [[True, True, False, False]]
    assert red.middle == 0


def test_excess_green_is_two_g_less_r_and_b() -> None:
    found = excess(_pixels((60, 120, 40), (120, 60, 40), (90, 90, 90)), GREEN)[0]
    assert found[0] == pytest.approx(255 * (2 * 120 - 60 - 40) / 220, abs=3)
    assert found[1:].tolist() == [0, 0]


def test_excess_does_not_depend_on_the_light() -> None:
    bright, dim = excess(_pixels((100, 200, 60), (50, 100, 30)), GREEN)[0]
    assert int(bright) == pytest.approx(int(dim), abs=4)


def test_excess_follows_the_product_s_hue() -> None:
    red = excess(_pixels((200, 40, 40), (40, 200, 40)), ColourRange((165, 60, 40), (15, 255, 255)))
    assert red[0, 0] > 100 and red[0, 1] == 0


def test_products_of_any_hue_are_told_by_their_lightness() -> None:
    silver = ColourRange((0, 0, 0), (179, 255, 255))
    found = excess(_pixels((200, 205, 205), (60, 50, 40)), silver)[0]
    assert found[0] > found[1] > 0


def test_otsu_is_taken_on_a_grey_channel_and_splits_leaf_from_moss() -> None:
    scene = draw(Look(moss=0.4, cover=0.6))
    seen = find(scene.image, scene.mask, scene.boxes, 30)
    green = gate(scene.image, GREEN) > 0
    assert 0 < seen.threshold < 255
    assert _filled(scene.boxes, seen.mask) > 0.4
    outside = np.ones_like(seen.mask)
    for x1, y1, x2, y2 in scene.boxes.astype(int):
        outside[y1:y2, x1:x2] = False
    assert (green & outside).sum() > 30_000
    assert (seen.mask & outside).sum() < 0.01 * (green & outside).sum()


def test_an_empty_mossy_box_has_next_to_no_vegetation_beside_a_known_product() -> None:
    product = reference_of(*_known(draw(Look(seed=1))))
    moss = draw(Look(moss=0.5, missing_cells=1))
    seen = find(moss.image, moss.mask, NONE, 30, stored=product)
    assert seen.mask.mean() < 0.002


def test_leaves_that_fill_a_container_are_not_split_among_themselves() -> None:
    scene = draw(Look(cover=1.9))
    seen = find(scene.image, scene.mask, scene.boxes, 70)
    assert _filled(scene.boxes, seen.mask) > 0.75


def test_pixels_outside_the_mask_neither_count_nor_shift_the_threshold() -> None:
    scene = draw(Look())
    half = scene.mask.copy()
    half[:, 320:] = 0
    left = scene.boxes[scene.boxes[:, 2] < 320]
    disturbed = scene.image.copy()
    disturbed[:, 320:] = (0, 255, 0)
    seen, other = (find(image, half, left, 30) for image in (scene.image, disturbed))
    assert not other.mask[:, 325:].any()
    assert other.threshold == pytest.approx(seen.threshold, abs=2)


def test_a_photo_with_few_detections_uses_the_stored_reference() -> None:
    scene = draw(Look())
    stored = Reference(91, 92)
    assert find(scene.image, scene.mask, scene.boxes[:2], 30, stored=stored).reference == stored
    assert find(scene.image, scene.mask, scene.boxes, 30, stored=stored).reference != stored


def test_plants_outside_the_product_s_colours_give_no_reference() -> None:
    grey = np.full((50, 50, 3), 128, np.uint8)
    assert reference_of(grey, np.array([[10.0, 10, 40, 40]])) is None
    assert reference_of(grey, NONE) is None


def test_a_mask_without_pixels_has_no_vegetation() -> None:
    scene = draw(Look())
    seen = find(scene.image, np.zeros_like(scene.mask), NONE, 30)
    assert not seen.mask.any()


def _known(scene: Scene) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    return scene.image, scene.boxes
