"""The faults of the formula that ours replaces: each is there, and not in ours."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scenes.looks import Look, Scene, draw
from validation import seed_formula

from darkroom.counting.bands import ContainerEstimate, estimate
from darkroom.counting.parameters import Parameters, default_plant_area
from darkroom.counting.vegetation import find, gate, reference_of

NONE = np.zeros((0, 4))
LOOSE = Look(seed=1, cover=0.7)


def _ours(scene: Scene, boxes: np.ndarray) -> ContainerEstimate:
    return estimate(scene.image, scene.mask, boxes, "box")


def _seed(scene: Scene, boxes: np.ndarray) -> int:
    return seed_formula.estimate(scene.image, scene.mask, boxes, "box")


@pytest.fixture(scope="module")
def loose() -> Scene:
    return draw(LOOSE)


def test_otsu_over_a_mask_of_two_values_suppresses_no_floor() -> None:
    mossy = draw(replace(LOOSE, moss=0.4))
    green = gate(mossy.image, Parameters().colours)
    bands = seed_formula.bands(mossy.image, np.full(mossy.mask.shape, 255, np.uint8), NONE, "box")
    kept = np.concatenate([band.processed for band in bands])
    assert np.count_nonzero(kept) > 0.95 * np.count_nonzero(green)
    found = find(mossy.image, mossy.mask, mossy.boxes, 40)
    assert np.count_nonzero(found.mask) < 0.8 * np.count_nonzero(green & mossy.mask)


def test_moss_in_an_empty_box_becomes_plants_by_the_hundred(loose: Scene) -> None:
    moss = draw(Look(moss=0.5, missing_cells=1))
    assert _seed(moss, NONE) > 100
    known = Parameters(reference=reference_of(loose.image, loose.boxes))
    assert estimate(moss.image, moss.mask, NONE, "box", known).total == 0


def test_a_mask_of_the_whole_photo_does_not_go_with_a_crop(loose: Scene) -> None:
    photo_mask = np.zeros((900, 1400), np.uint8)
    photo_mask[200:680, 700:1340] = loose.mask
    with pytest.raises(cv2.error):
        seed_formula.estimate(loose.image, photo_mask, loose.boxes, "box")
    with pytest.raises(ValueError, match="differ in size"):
        estimate(loose.image, photo_mask, loose.boxes, "box")


def test_detections_in_the_photo_s_pixels_leave_the_crop_s_plants_uncovered(loose: Scene) -> None:
    moved = loose.boxes + np.array([700, 200, 700, 200])
    assert _seed(loose, moved) > 0.5 * len(loose.boxes)
    assert estimate(loose.image, loose.mask, loose.boxes, "box", origin=(700, 200)).unbiased == 0


def test_the_buffer_stands_beside_the_unbiased_figure_and_not_in_its_place(loose: Scene) -> None:
    result = _ours(loose, loose.detected(0.5))
    assert result.buffered == pytest.approx(result.unbiased / 0.9)
    assert result.unbiased_count < result.buffered_count


def test_rounding_up_in_every_band_adds_plants_to_a_container() -> None:
    """A scrap of green in every band, a hundredth of a plant each."""
    scene = draw(Look(missing_cells=1))
    image = scene.image.copy()
    plant = np.array([[20.0, 20, 60, 60]])
    for y in (60, 180, 300, 420):
        image[y : y + 8, 300:308] = (40, 140, 30)
    cv2.circle(image, (40, 40), 20, (40, 140, 30), -1)
    assert seed_formula.estimate(image, scene.mask, plant, "segment") >= 4
    assert estimate(image, scene.mask, plant, "segment").estimated_count == 0


def test_areas_are_measured_alike_on_both_sides_of_the_division(loose: Scene) -> None:
    """A disc is π/4 of its box: what is divided by boxes comes out a fifth too low."""
    alone = replace(LOOSE, cover=0.55, leaves=24)
    scene = draw(alone)
    found = scene.detected(0.5)
    sizes = (found[:, 2:] - found[:, :2]).prod(axis=1).mean()
    result = _ours(scene, found)
    assert all(band.avg_plant_area_px < 0.9 * sizes for band in result.bands)
    assert len(found) + result.unbiased == pytest.approx(len(scene.boxes), rel=0.05)


def test_default_sizes_follow_the_resolution() -> None:
    scene = draw(replace(LOOSE, missing_cells=0.0))
    small, large = scene.scaled(0.5), scene.scaled(2)
    assert _seed(large, NONE) > 8 * _seed(small, NONE)
    near, far = Parameters(ground_sample_cm=0.05), Parameters(ground_sample_cm=0.1)
    areas = [default_plant_area("plug", 1e6, known) for known in (near, far)]
    assert areas[0] == pytest.approx(4 * areas[1])


def test_leaf_fringe_beside_every_detection_becomes_phantom_plants(loose: Scene) -> None:
    middles = (loose.boxes[:, :2] + loose.boxes[:, 2:]) / 2
    halves = (loose.boxes[:, 2:] - loose.boxes[:, :2]) / 2 * 0.85
    tight = np.hstack([middles - halves, middles + halves])
    assert _seed(loose, tight) > 3
    assert _ours(loose, tight).estimated_count == 0


def test_a_kernel_of_fixed_size_makes_the_count_depend_on_the_resolution(loose: Scene) -> None:
    found = loose.detected(0.7)
    at_one, at_third = _ours(loose, found), _ours(loose.scaled(1 / 3), found / 3)
    assert at_third.unbiased == pytest.approx(at_one.unbiased, rel=0.12)


def test_a_plant_on_the_border_of_two_bands_is_in_one_of_them(loose: Scene) -> None:
    edge = _ours(loose, loose.boxes).bands[1].band_y_start
    on_it = np.array([[300.0, edge - 20, 340, edge + 20]])
    result = _ours(loose, on_it)
    assert sum(band.detected for band in result.bands) == 1


def test_one_huge_box_does_not_shift_the_size_of_a_plant(loose: Scene) -> None:
    found = loose.detected(0.8)
    upper = found[found[:, 1] < 120]
    huge = np.array([[20.0, 20, 320, 140]])
    plain, with_huge = (_ours(loose, boxes).bands[0] for boxes in (upper, np.vstack([upper, huge])))
    assert with_huge.avg_plant_area_px < 1.5 * plain.avg_plant_area_px


def test_a_neighbour_s_plants_in_the_bounding_box_do_not_count(loose: Scene) -> None:
    """A container that is a triangle of its bounding box."""
    height, width = loose.mask.shape
    mask = np.where(np.tri(height, width, dtype=bool), loose.mask, np.uint8(0))
    middles = ((loose.boxes[:, :2] + loose.boxes[:, 2:]) / 2).astype(int)
    own = mask[middles[:, 1], middles[:, 0]] > 0
    mine, others = loose.boxes[own], loose.boxes[~own]
    assert estimate(loose.image, mask, mine, "box", others=others).estimated_count == 0


def test_confidence_is_no_constant(loose: Scene) -> None:
    few, most = (_ours(loose, loose.detected(recall)) for recall in (0.4, 0.95))
    assert few.confidence.probability < most.confidence.probability
    assert {band.estimation_confidence for band in few.bands} != {0.75}


def test_polygons_are_the_plants_and_not_rectangles_across_the_photo(loose: Scene) -> None:
    for band in _ours(loose, loose.detected(0.6)).bands:
        rings = [np.array(polygon[0]) for polygon in band.vegetation_polygon["coordinates"]]
        assert all(np.ptp(ring[:, 0]) < loose.image.shape[1] / 2 for ring in rings)
        assert all(band.band_y_start - 1 <= ring[:, 1].min() for ring in rings)
        assert all(ring[:, 1].max() <= band.band_y_end + 1 for ring in rings)


def test_an_empty_container_is_told_from_a_planted_one(loose: Scene) -> None:
    bare = draw(Look(missing_cells=1))
    assert _ours(bare, NONE).is_empty_container
    assert not _ours(loose, loose.detected(0.5)).is_empty_container
