"""The short version of `scripts/validate_counting.py`: one seed, without the models."""

import numpy as np
import pytest
from validation.figures import Figures, coverage
from validation.methods import METHODS, Count, ours, the_seed_s, true_grid
from validation.targets import Measured, targets

NOTHING = np.zeros((4, 4))


@pytest.fixture(scope="module")
def measured() -> Measured:
    return Measured.over(range(1))


def test_every_target_is_met(measured: Measured) -> None:
    missed = [target for target in targets(measured) if not target.is_met]
    assert missed == []


def test_the_scenes_are_many_and_of_every_kind(measured: Measured) -> None:
    axes = {case.axis for case in measured.cases}
    assert len(measured.cases) >= 45
    assert {"recall", "moss", "hue", "resolution", "empty", "several", "all detected"} <= axes


def test_on_every_axis_the_seed_s_formula_is_beaten(measured: Measured) -> None:
    for axis in {case.axis for case in measured.cases}:
        part = measured.on(axis)
        truths = [true_grid(case) for case in part.cases]
        theirs = Figures.of(truths, [the_seed_s(case) for case in part.cases])
        assert part.figures.mae < theirs.mae
        assert part.figures.game2 < theirs.game2


def test_what_is_counted_is_where_it_is_counted(measured: Measured) -> None:
    for case in measured.cases[::7]:
        for method in METHODS.values():
            count = method(case)
            assert count.grid.sum() == pytest.approx(count.total)
    assert ours(measured.cases[0]).total == measured.counts[0].total


def test_plants_in_the_wrong_place_are_an_error_of_game_alone() -> None:
    truth, wrong = NOTHING.copy(), NOTHING.copy()
    truth[0, 0] = wrong[3, 3] = 10
    figures = Figures.of([truth], [Count(10.0, wrong)])
    assert (figures.mae, figures.game1, figures.game2) == (0, 20, 20)


def test_an_interval_holds_the_truth_or_not() -> None:
    counts = [Count(10.0, NOTHING, (8.0, 12.0)), Count(10.0, NOTHING, (9.5, 10.5))]
    assert coverage([12.0, 12.0], counts) == 0.5
    assert coverage([1.0], [Count(1.0, NOTHING)]) is None
