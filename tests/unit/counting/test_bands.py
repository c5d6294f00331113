import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.typing import NDArray
from PIL import Image
from scenes.looks import Look, Scene, draw
from validation import seed_formula

from darkroom.counting.bands import ContainerEstimate, estimate
from darkroom.counting.geometry import centres
from darkroom.counting.parameters import Parameters
from darkroom.counting.vegetation import ColourRange, reference_of

NONE = np.zeros((0, 4))
PHOTOS = Path(__file__).parents[4] / "shared" / "photos" / "tray"
LOOKS = {
    "sparse": Look(cover=0.5, missing_cells=0.3),
    "loose": Look(seed=1, cover=0.8),
    "touching": Look(seed=2, cover=1.0),
    "overlapping": Look(seed=3, cover=1.25),
    "perspective": Look(seed=4, cover=0.9, perspective=0.5),
    "dense perspective": Look(seed=5, cover=1.2, perspective=0.4),
    "mossy": Look(seed=6, moss=0.3),
    "shaded": Look(seed=7, moss=0.2, shade=0.5),
    "small": Look(seed=8, columns=24, rows=18),
    "uneven": Look(seed=9, spread=0.3, cover=0.7),
    "few leaves": Look(seed=10, leaves=5, cover=0.9),
    "blue-green": Look(seed=11, hue=78),
}
RECALLS = (0.5, 0.6, 0.7, 0.8, 0.9)


@pytest.fixture(scope="module")
def scenes() -> dict[str, Scene]:
    return {name: draw(look) for name, look in LOOKS.items()}


@pytest.fixture(scope="module")
def scene(scenes: dict[str, Scene]) -> Scene:
    return scenes["perspective"]


def _estimate(
    scene: Scene, boxes: NDArray[np.float64], parameters: Parameters | None = None
) -> ContainerEstimate:
    return estimate(scene.image, scene.mask, boxes, "box", parameters)


def _errors(scene: Scene, seed: int) -> list[float]:
    found = [scene.detected(recall, seed) for recall in RECALLS]
    truth = len(scene.boxes)
    return [(len(some) + _estimate(scene, some).unbiased - truth) / truth for some in found]


def test_totals_are_within_three_percent_over_scenes_and_recalls(
    scenes: dict[str, Scene],
) -> None:
    errors = [error for s, one in enumerate(scenes.values()) for error in _errors(one, s)]
    assert np.abs(errors).mean() < 0.03
    assert abs(np.mean(errors)) < 0.02


@pytest.mark.parametrize("name", LOOKS)
def test_no_kind_of_scene_is_off_by_a_tenth(scenes: dict[str, Scene], name: str) -> None:
    errors = [error for seed in range(3) for error in _errors(scenes[name], seed)]
    assert np.abs(errors).mean() < 0.10


@pytest.mark.parametrize("name", LOOKS)
def test_where_everything_was_found_nothing_is_added(scenes: dict[str, Scene], name: str) -> None:
    result = _estimate(scenes[name], scenes[name].detected(1.0))
    assert result.estimated_count == 0
    assert result.buffered_count == result.unbiased_count == 0


def test_leaf_fringe_outside_sloppy_boxes_never_becomes_plants(scenes: dict[str, Scene]) -> None:
    for one in scenes.values():
        middles = (one.boxes[:, :2] + one.boxes[:, 2:]) / 2
        halves = (one.boxes[:, 2:] - one.boxes[:, :2]) / 2 * 0.88
        tight = np.hstack([middles - halves, middles + halves])
        assert _estimate(one, tight).estimated_count == 0


def test_the_seed_s_formula_is_beaten(scenes: dict[str, Scene]) -> None:
    def error(count: float, found: int, one: Scene) -> float:
        return abs(found + count - len(one.boxes)) / len(one.boxes)

    ours, seed = [], []
    for one in scenes.values():
        for recall in (0.6, 0.8, 1.0):
            found = one.detected(recall)
            ours.append(error(_estimate(one, found).unbiased, len(found), one))
            old = seed_formula.estimate(one.image, one.mask, found, "box")
            seed.append(error(old, len(found), one))
    assert np.mean(ours) < 0.3 * np.mean(seed)


def test_a_whole_band_that_was_missed_is_estimated_from_the_others(
    scenes: dict[str, Scene],
) -> None:
    for name in ("loose", "overlapping", "dense perspective"):
        one = scenes[name]
        edge = np.quantile(one.boxes[:, 1], 0.3)
        found = one.boxes[one.boxes[:, 1] > edge]
        total = len(found) + _estimate(one, found).unbiased
        assert total == pytest.approx(len(one.boxes), rel=0.08)


@pytest.mark.parametrize("factor", [0.5, 2, 3])
@pytest.mark.parametrize("name", ["loose", "overlapping", "mossy", "small"])
def test_resolution_does_not_change_the_count(
    scenes: dict[str, Scene], name: str, factor: float
) -> None:
    found = scenes[name].detected(0.7)
    at_one = len(found) + _estimate(scenes[name], found).unbiased
    other = scenes[name].scaled(factor)
    assert len(found) + _estimate(other, found * factor).unbiased == pytest.approx(at_one, rel=0.03)


def test_both_figures_are_reported_and_the_setting_says_which_goes_to_stock(
    scene: Scene,
) -> None:
    found = scene.detected(0.6)
    buffered = _estimate(scene, found)
    unbiased = _estimate(scene, found, Parameters(figure="unbiased"))
    assert buffered.buffered == pytest.approx(buffered.unbiased / 0.9)
    assert buffered.estimated_count == buffered.buffered_count == round(buffered.buffered)
    assert unbiased.estimated_count == unbiased.unbiased_count == round(unbiased.unbiased)
    assert buffered.buffered_count > buffered.unbiased_count


def test_alpha_is_the_overcount_buffer(scene: Scene) -> None:
    result = _estimate(scene, scene.detected(0.6), Parameters(alpha=0.5))
    assert result.buffered == pytest.approx(2 * result.unbiased)


def test_the_total_is_rounded_once_and_not_up_in_every_band(scenes: dict[str, Scene]) -> None:
    for one in scenes.values():
        for recall in RECALLS:
            result = _estimate(one, one.detected(recall))
            assert abs(result.estimated_count - result.buffered) <= 0.5
            assert sum(band.estimated_count for band in result.bands) == result.estimated_count


def test_detected_and_estimated_are_the_whole_quantity(scene: Scene) -> None:
    found = scene.detected(0.6)
    result = _estimate(scene, found)
    assert result.total == len(found) + result.estimated_count
    assert sum(band.detected for band in result.bands) == result.detected == len(found)


def test_a_band_s_number_is_its_residual_over_the_area_of_a_plant(scene: Scene) -> None:
    for band in _estimate(scene, scene.detected(0.5)).bands:
        assert band.unbiased == pytest.approx(band.residual_area_px / band.avg_plant_area_px)
        assert band.processed_area_px == band.residual_area_px
        assert band.area_before_suppression > band.area_after_suppression >= band.residual_area_px
        assert band.calculation_method == "band_based"


def test_four_bands_follow_each_other_without_gap_or_overlap(scene: Scene) -> None:
    bands = _estimate(scene, scene.detected(0.5)).bands
    assert [band.band_number for band in bands] == [1, 2, 3, 4]
    assert all(upper.band_y_end == lower.band_y_start for upper, lower in pairwise(bands))
    rows = np.flatnonzero(scene.mask.any(axis=1))
    assert (bands[0].band_y_start, bands[-1].band_y_end) == (rows[0], rows[-1] + 1)


def test_plants_far_away_are_measured_smaller(scene: Scene) -> None:
    areas = [band.avg_plant_area_px for band in _estimate(scene, scene.detected(0.8)).bands]
    assert areas == sorted(areas) and areas[3] > 1.5 * areas[0]


def test_polygons_are_the_residual_that_was_counted(scene: Scene) -> None:
    result = _estimate(scene, scene.detected(0.6))
    for band in result.bands:
        layer = np.zeros(scene.mask.shape, np.uint8)
        for rings in band.vegetation_polygon["coordinates"]:
            assert all(len(ring) >= 4 and ring[0] == ring[-1] for ring in rings)
            pixels = [np.round(np.array(ring) - 0.5).astype(np.int32) for ring in rings]
            cv2.fillPoly(layer, pixels, 255)
        assert np.count_nonzero(layer) == pytest.approx(band.residual_area_px, rel=0.12, abs=40)
        assert not layer[: band.band_y_start - 1].any()
        assert not layer[band.band_y_end + 1 :].any()


def test_rows_and_polygons_are_the_photo_s(scene: Scene) -> None:
    found = scene.detected(0.6)
    here = _estimate(scene, found)
    there = estimate(scene.image, scene.mask, found, "box", origin=(1000, 300))
    for near, far in zip(here.bands, there.bands, strict=True):
        assert far.band_y_start == near.band_y_start + 300
        for rings, moved in zip(
            near.vegetation_polygon["coordinates"],
            far.vegetation_polygon["coordinates"],
            strict=True,
        ):
            assert np.allclose(np.array(rings[0]) + (1000, 300), moved[0])
    assert there.unbiased == here.unbiased


def test_a_crop_counts_as_it_would_anywhere_in_a_photo() -> None:
    scene = draw(replace(LOOKS["loose"], width=500, height=380))
    found = scene.detected(0.7)
    photo = np.full((900, 1400, 3), 90, np.uint8)
    photo[200:580, 700:1200] = scene.image
    crop = np.ascontiguousarray(photo[200:580, 700:1200])
    assert estimate(crop, scene.mask, found, "box") == _estimate(scene, found)


def test_a_mask_of_another_size_is_refused(scene: Scene) -> None:
    with pytest.raises(ValueError, match="differ in size"):
        estimate(scene.image, scene.mask[:-1], NONE, "box")


@pytest.mark.parametrize("kind", ["plug", "box", "segment"])
def test_an_empty_container_gives_zero_plants(kind: str) -> None:
    bare = draw(Look(missing_cells=1))
    result = estimate(bare.image, bare.mask, NONE, kind)  # type: ignore[arg-type]
    assert result.is_empty_container and not result.needs_review
    assert result.estimated_count == result.total == result.unbiased == 0
    assert result.confidence.probability > 0.99


def test_an_empty_mossy_container_is_empty_where_the_product_is_known() -> None:
    grown, moss = draw(Look(seed=1)), draw(Look(moss=0.5, missing_cells=1))
    known = Parameters(reference=reference_of(grown.image, grown.boxes))
    result = _estimate(moss, NONE, known)
    assert result.is_empty_container and result.estimated_count == 0
    assert seed_formula.estimate(moss.image, moss.mask, NONE, "box") > 100


def test_an_empty_mossy_container_never_invents_stock() -> None:
    moss = draw(Look(moss=0.5, missing_cells=1))
    assert _estimate(moss, NONE).total == 0


def test_vegetation_without_detections_waits_for_a_person(scene: Scene) -> None:
    result = _estimate(scene, NONE)
    assert result.needs_review and not result.is_empty_container
    assert result.estimated_count == result.buffered_count == 0 and result.unbiased == 0
    assert sum(band.residual_area_px for band in result.bands) > 0
    assert any(band.vegetation_polygon["coordinates"] for band in result.bands)
    assert result.confidence.probability < 0.5


def test_a_container_with_detections_is_not_empty(scene: Scene) -> None:
    result = _estimate(scene, scene.detected(0.1))
    assert not result.is_empty_container and not result.needs_review


def test_a_single_detection_sets_the_size_of_all_others(scenes: dict[str, Scene]) -> None:
    one = scenes["loose"]
    result = _estimate(one, one.boxes[:1])
    assert 0.5 * len(one.boxes) < result.unbiased < 2 * len(one.boxes)


def test_confidence_is_computed(scenes: dict[str, Scene]) -> None:
    one = scenes["uneven"]
    few, most = (_estimate(one, one.detected(recall)) for recall in (0.3, 0.9))
    assert few.confidence.error > most.confidence.error
    assert len({band.estimation_confidence for band in few.bands}) == 4
    doubled = _estimate(one, one.detected(0.3), Parameters(error_scale=2))
    assert doubled.confidence.error == pytest.approx(2 * few.confidence.error)


def test_intervals_hold_the_truth_about_as_often_as_they_say(scenes: dict[str, Scene]) -> None:
    held = []
    for one in scenes.values():
        for seed, recall in enumerate((0.7, 0.8, 0.9, 0.95)):
            low, high = _estimate(one, one.detected(recall, seed)).confidence.interval
            held.append(low <= len(one.boxes) <= high)
    assert 0.65 < np.mean(held) < 0.98


def test_leaves_of_a_neighbour_s_plants_are_not_counted(scenes: dict[str, Scene]) -> None:
    one = scenes["loose"]
    left = (one.boxes[:, 0] + one.boxes[:, 2]) / 2 < 250
    result = estimate(one.image, one.mask, one.boxes[left], "box", others=one.boxes[~left])
    assert result.estimated_count == 0
    alone = estimate(one.image, one.mask, one.boxes[left], "box")
    assert alone.estimated_count > 20


def test_a_red_leaved_product_is_counted_in_its_own_range() -> None:
    red = draw(Look(hue=172))
    product = Parameters(colours=ColourRange((160, 60, 40), (4, 255, 255)))
    found = red.detected(0.7)
    assert len(found) + _estimate(red, found, product).unbiased == pytest.approx(70, rel=0.06)


def test_plants_outside_a_concave_container_do_not_count(scenes: dict[str, Scene]) -> None:
    one = scenes["loose"]
    mask = one.mask.copy()
    mask[:260, :330] = 0
    middles = (one.boxes[:, :2] + one.boxes[:, 2:]) / 2
    inside = mask[middles[:, 1].astype(int), middles[:, 0].astype(int)] > 0
    mine = one.boxes[inside]
    result = estimate(one.image, mask, mine[::2], "box", others=one.boxes[~inside])
    assert len(mine[::2]) + result.unbiased == pytest.approx(len(mine), rel=0.12)


@settings(max_examples=25, deadline=None)
@given(some.integers(0, 10_000), some.integers(1, 40), some.integers(1, 40), some.integers(0, 6))
def test_any_crop_gives_a_consistent_result(seed: int, height: int, width: int, n: int) -> None:
    random = np.random.default_rng(seed)
    image = random.integers(0, 255, (height, width, 3), np.uint8)
    mask = random.choice(np.array([0, 255], np.uint8), (height, width))
    mask[height // 2, width // 2] = 255
    starts = random.uniform(0, (width, height), (n, 2))
    boxes = np.hstack([starts, starts + random.uniform(0, 15, (n, 2))])
    result = estimate(image, mask, boxes, "plug", others=boxes[:1] + 3)
    assert result.detected == n and np.isfinite(result.unbiased)
    assert sum(band.estimated_count for band in result.bands) == result.estimated_count >= 0
    assert 0 <= result.confidence.probability <= 1


def test_a_container_of_a_megapixel_takes_about_a_tenth_of_a_second() -> None:
    large = draw(Look(width=1200, height=900, columns=20, rows=15, perspective=0.3, moss=0.2))
    found = large.detected(0.8)
    _estimate(large, found)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        _estimate(large, found)
        times.append(time.perf_counter() - start)
    # Five times the aim, for machines that are slow or busy; a quarter of the 2 s once allowed.
    assert min(times) < 0.5


def test_the_real_tray_is_estimated_within_one_plant_or_so() -> None:
    photo, truth = PHOTOS / "arabidopsis_tray_A.jpg", PHOTOS / "arabidopsis_tray_A.txt"
    if not photo.exists():
        pytest.skip("the shared photo of the real tray is not here")
    image = np.asarray(Image.open(photo).convert("RGB"))
    middles, sizes = np.split(np.loadtxt(truth)[:, 1:], 2, axis=1)
    frame = np.array([image.shape[1], image.shape[0]] * 2)
    boxes = np.hstack([middles - sizes / 2, middles + sizes / 2]) * frame
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[10:1900, 140:2440] = 255
    errors = []
    for seed in range(10):
        found = boxes[np.random.default_rng(seed).permutation(len(boxes))[:16]]
        errors.append(len(found) + estimate(image, mask, found, "plug").unbiased - len(boxes))
    assert np.abs(errors).mean() < 1.5
    assert estimate(image, mask, boxes, "plug").estimated_count == 0


def _without(scene: Scene, found: NDArray[np.float64]) -> NDArray[np.float64]:
    """The plants of a scene in whose middle none of those found has its own."""
    apart = np.abs(centres(scene.boxes)[:, None] - centres(found)[None]).max(axis=2)
    sides = (scene.boxes[:, 2:] - scene.boxes[:, :2]).min(axis=1)
    return np.asarray(scene.boxes[apart.min(axis=1) > sides / 4])


def _half_seen(
    scene: Scene, boxes: NDArray[np.float64], faint: NDArray[np.float64]
) -> ContainerEstimate:
    return estimate(scene.image, scene.mask, boxes, "box", faint=faint)


def test_green_that_the_detector_does_not_even_half_believe_in_is_no_plant(scene: Scene) -> None:
    found = scene.detected(0.7, 0)
    assert _half_seen(scene, found, NONE).unbiased == 0


def test_missed_plants_that_the_detector_half_saw_are_counted(scene: Scene) -> None:
    found = scene.detected(0.7, 0)
    missed = _without(scene, found)
    assert _half_seen(scene, found, missed).unbiased == pytest.approx(len(missed), rel=0.15)


def test_no_more_plants_are_added_than_were_half_seen(scene: Scene) -> None:
    found = scene.detected(0.5, 0)
    few = _without(scene, found)[:5]
    assert 0 < _half_seen(scene, found, few).unbiased <= 5


def test_a_faint_box_around_a_group_of_plants_says_nothing(scene: Scene) -> None:
    found = scene.detected(0.5, 0)
    height, width = scene.mask.shape
    assert _half_seen(scene, found, np.array([[0.0, 0.0, width, height]])).unbiased == 0


@settings(max_examples=25, deadline=None)
@given(some.integers(0, 10_000), some.integers(0, 6), some.integers(0, 6))
def test_no_more_is_estimated_than_scores_make_likely(seed: int, seen: int, half: int) -> None:
    random = np.random.default_rng(seed)
    image = np.full((60, 80, 3), (40, 140, 30), np.uint8)
    image[random.random((60, 80)) < 0.3] = 90
    starts = random.uniform(0, (80, 60), (seen + half, 2))
    boxes = np.hstack([starts, starts + random.uniform(5, 15, (seen + half, 2))])
    result = estimate(
        image,
        np.full((60, 80), 255, np.uint8),
        boxes[:seen],
        "box",
        scores=random.uniform(0.3, 1, seen),
        faint=boxes[seen:],
        faint_scores=random.uniform(0.1, 0.3, half),
    )
    assert 0 <= result.unbiased <= half and result.half_seen <= half
    assert sum(band.unbiased for band in result.bands) == pytest.approx(result.unbiased)
    low, high = result.confidence.interval
    assert 0 <= low <= result.detected + result.unbiased < high


def test_plants_half_seen_where_nothing_is_green_keep_a_container_from_being_empty() -> None:
    bare = draw(Look(missing_cells=1))
    half = np.array([[100.0, 100, 140, 140], [200, 100, 240, 140], [300, 100, 340, 140]])
    result = estimate(bare.image, bare.mask, NONE, "box", faint=half, faint_scores=np.full(3, 0.25))
    assert result.needs_review and not result.is_empty_container
    assert result.half_seen > 1 and result.total == 0


def test_scores_make_the_interval_wider_and_not_the_count_another(scene: Scene) -> None:
    found = scene.detected(0.7)
    sure = _estimate(scene, found)
    scores = np.full(len(found), 0.35)
    doubtful = estimate(scene.image, scene.mask, found, "box", scores=scores)
    assert doubtful.unbiased == sure.unbiased
    assert doubtful.confidence.error > sure.confidence.error + 1
    assert doubtful.confidence.interval[0] < sure.confidence.interval[0]
