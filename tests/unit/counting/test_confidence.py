from math import erf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from darkroom.counting.bands import estimate
from darkroom.counting.confidence import Confidence, confidence_of, spread, together
from tests.unit.counting.scenes import Look, draw

counts = some.integers(0, 1000)
spreads = some.floats(0, 1)


def test_a_count_without_estimates_is_sure() -> None:
    sure = confidence_of(70, 0, 0.3, 0.2)
    assert sure.interval == pytest.approx((70, 70.4), abs=0.1)
    assert sure.probability > 0.999


@given(counts, some.floats(0, 1000), spreads, spreads)
def test_the_interval_holds_the_count_and_no_less_than_was_detected(
    detected: int, estimated: float, sizes: float, threshold: float
) -> None:
    low, high = confidence_of(detected, estimated, sizes, threshold).interval
    assert detected <= low <= detected + estimated < high


@given(counts, some.floats(1, 1000), spreads)
def test_more_spread_means_less_confidence(detected: int, estimated: float, sizes: float) -> None:
    calm = confidence_of(detected, estimated, sizes, 0.1)
    wild = confidence_of(detected, estimated, sizes + 0.2, 0.1)
    assert wild.error > calm.error and wild.probability <= calm.probability


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
    both = together([Confidence(10, 3, 8), Confidence(20, 4, 20)])
    assert (both.total, both.error, both.least) == (30, 5, 28)


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
