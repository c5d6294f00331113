from math import erf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scenes.looks import Look, draw

from darkroom.counting.bands import estimate
from darkroom.counting.confidence import (
    Confidence,
    Doubt,
    chances,
    confidence_of,
    spread,
    together,
)

counts = some.integers(0, 1000)
spreads = some.floats(0, 1)


def test_a_count_without_estimates_is_sure() -> None:
    sure = confidence_of(70, 0, 0.3, 0.2)
    assert sure.interval == pytest.approx((69.6, 70.4), abs=0.1)
    assert sure.probability > 0.999


@given(counts, some.floats(0, 1000), spreads, spreads)
def test_the_interval_holds_the_count_and_never_less_than_nothing(
    detected: int, estimated: float, sizes: float, threshold: float
) -> None:
    low, high = confidence_of(detected, estimated, sizes, threshold).interval
    assert 0 <= low <= detected + estimated < high


@given(counts, some.floats(1, 1000), spreads)
def test_more_spread_means_less_confidence(detected: int, estimated: float, sizes: float) -> None:
    calm = confidence_of(detected, estimated, sizes, 0.1)
    wild = confidence_of(detected, estimated, sizes + 0.2, 0.1)
    assert wild.error > calm.error and wild.probability <= calm.probability


def test_what_the_detector_doubts_makes_a_count_less_sure() -> None:
    sure, doubtful = (Doubt(chances(np.full(50, score))) for score in (0.8, 0.35))
    assert confidence_of(50, 0, 0.3, 0.1, doubt=sure).error < 1
    assert confidence_of(50, 0, 0.3, 0.1, doubt=doubtful).error > 2


def test_plants_half_seen_make_a_count_less_sure() -> None:
    half = Doubt(faint=chances(np.full(10, 0.2)))
    assert confidence_of(50, 5, 0.1, 0, doubt=half).error > confidence_of(50, 5, 0.1, 0).error + 3


def test_doubts_of_several_bands_are_one_doubt() -> None:
    parts = [Doubt(np.array([0.9, 0.5]), np.array([0.1])), Doubt(np.array([0.8]))]
    assert Doubt.of(parts).found.tolist() == [0.9, 0.5, 0.8]
    assert Doubt.of(parts).faint.tolist() == [0.1]


@given(some.floats(0, 1), some.floats(0, 1))
def test_a_better_score_is_a_better_chance(one: float, other: float) -> None:
    low, high = chances(np.array(sorted([one, other])))
    assert 0 <= low <= high <= 1


def test_a_threshold_that_matters_means_less_confidence() -> None:
    assert confidence_of(50, 20, 0.3, 0.5).error > confidence_of(50, 20, 0.3, 0).error


def test_the_scale_widens_the_interval() -> None:
    assert confidence_of(50, 20, 0.3, 0.1, scale=2).error == pytest.approx(
        2 * confidence_of(50, 20, 0.3, 0.1).error
    )


def test_the_probability_is_that_of_one_plant_or_a_tenth() -> None:
    assert Confidence(5, 1).probability == pytest.approx(erf(1 / sqrt(2)))
    assert Confidence(200, 10).probability == pytest.approx(erf(2 / sqrt(2)))


def test_independent_counts_add_up_and_their_errors_partly_cancel() -> None:
    both = together([Confidence(10, 3), Confidence(20, 4)])
    assert (both.total, both.error) == (30, 5)


def test_no_counts_together_are_none() -> None:
    assert together([]).total == 0


def test_spread_is_measured_against_what_was_expected() -> None:
    areas = np.array([10.0, 20, 40, 80])
    assert spread(areas, areas) == 0
    assert spread(areas, np.full(4, 37.5)) > 0.5


def test_too_few_plants_get_an_assumed_spread() -> None:
    assert spread(np.array([10.0, 10]), np.array([10.0, 10])) == 0.5


def test_confidence_falls_with_what_was_missed() -> None:
    scene = draw(Look(cover=1.0, spread=0.25))
    errors = [
        estimate(scene.image, scene.mask, scene.detected(recall), "box").confidence.error
        for recall in (1.0, 0.9, 0.7, 0.5)
    ]
    assert errors == sorted(errors)
