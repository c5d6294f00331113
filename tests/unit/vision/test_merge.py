"""Our merging gives what SAHI's gives, and knows fragments."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sahi.postprocess.combine import GreedyNMMPostprocess
from sahi.postprocess.combine import nms as sahi_nms
from sahi.prediction import ObjectPrediction

from darkroom.vision.merge import Floats, by_score, covered, fragments, greedy_nmm, nms, overlap


def random_boxes(seed: int, count: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 200, (count, 2))
    sizes = rng.uniform(5, 80, (count, 2))
    boxes = np.concatenate([corners, corners + sizes], axis=1).astype(np.float32)
    return boxes, rng.uniform(0.3, 1, count).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 80), st.sampled_from(["IOU", "IOS"]))
def test_nms_keeps_what_sahi_keeps(seed: int, count: int, metric: str) -> None:
    boxes, scores = random_boxes(seed, count)
    rows = np.column_stack([boxes, scores, np.zeros(count)]).astype(np.float32)
    assert nms(boxes, scores, metric).tolist() == sahi_nms(rows, metric, 0.5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.sampled_from(["IOU", "IOS"]))
def test_greedy_merging_grows_the_boxes_that_sahi_grows(seed: int, count: int, metric: str) -> None:
    boxes, scores = random_boxes(seed, count)
    boxes = boxes.round()
    things = [
        ObjectPrediction(bbox=box, score=float(score), category_id=0, category_name="plant")
        for box, score in zip(boxes.tolist(), scores, strict=True)
    ]
    theirs = GreedyNMMPostprocess(0.5, metric, class_agnostic=True)(things)
    kept, grown = greedy_nmm(boxes, scores, metric)
    assert grown.tolist() == [thing.bbox.to_xyxy() for thing in theirs]
    assert scores[kept] == pytest.approx([thing.score.value for thing in theirs])


def _crowd(seed: int, count: int, side: float = 4000) -> tuple[Floats, Floats]:
    """Plants of a large photo, and among them a few boxes as large as a container."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, side, (count, 2))
    sizes = rng.uniform(20, 60, (count, 2)) * np.where(rng.random((count, 1)) < 0.005, 40, 1)
    boxes = np.concatenate([corners, corners + sizes], axis=1).astype(np.float32)
    return boxes, rng.uniform(0.3, 1, count).astype(np.float32)


@pytest.mark.parametrize("metric", ["IOU", "IOS"])
@pytest.mark.parametrize("count", [512, 513, 4000])
def test_a_crowd_is_merged_as_if_every_box_met_every_other(count: int, metric: str) -> None:
    boxes, scores = _crowd(count, count)
    alive, kept = np.ones(count, bool), []
    for place in by_score(boxes, scores).tolist():
        if alive[place]:
            kept.append(place)
            alive &= overlap(boxes[place], boxes, metric) < 0.5
    assert nms(boxes, scores, metric).tolist() == kept


def test_a_crowd_is_covered_by_what_covers_it() -> None:
    boxes, covers = _crowd(1, 3000)[0], _crowd(2, 2500)[0]
    expected = np.zeros(len(boxes), bool)
    for cover in covers:
        inside = (np.minimum(boxes[:, 2:], cover[2:]) - np.maximum(boxes[:, :2], cover[:2])).clip(0)
        expected |= inside.prod(axis=1) >= 0.5 * (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    assert (covered(boxes, covers, 0.5) == expected).all()


def test_a_photo_of_sixty_thousand_boxes_is_merged_in_little_memory() -> None:
    boxes, scores = _crowd(3, 60_000, 11_000)
    tracemalloc.start()
    nms(boxes, scores)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6


def test_boxes_apart_are_all_kept() -> None:
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], np.float32)
    assert nms(boxes, np.array([0.5, 0.9], np.float32)).tolist() == [1, 0]


def test_no_boxes_give_no_boxes() -> None:
    none = np.empty((0, 4), np.float32)
    assert len(nms(none, np.empty(0, np.float32))) == 0
    assert greedy_nmm(none, np.empty(0, np.float32))[1].shape == (0, 4)


def test_boxes_without_area_overlap_nothing() -> None:
    point = np.array([5, 5, 5, 5], np.float32)
    assert overlap(point, point[None], "IOU").tolist() == [0]
    assert overlap(point, point[None], "IOS").tolist() == [0]


def test_a_piece_of_a_plant_seen_whole_elsewhere_is_a_fragment() -> None:
    boxes = np.array([[0, 0, 100, 100], [70, 0, 100, 100], [150, 0, 200, 50]], np.float32)
    cut = np.array([False, True, True])
    assert fragments(boxes, cut).tolist() == [False, True, False]


def test_a_small_plant_under_a_large_one_is_no_fragment() -> None:
    boxes = np.array([[0, 0, 100, 100], [40, 40, 60, 60]], np.float32)
    assert not fragments(boxes, np.array([False, False])).any()


def test_a_leaf_inside_a_plant_is_covered_and_its_neighbour_is_not() -> None:
    boxes = np.array([[10, 10, 30, 30], [90, 0, 130, 40]], np.float32)
    plant = np.array([[0, 0, 100, 100]], np.float32)
    assert covered(boxes, plant, 0.8).tolist() == [True, False]
