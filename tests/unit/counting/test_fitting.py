"""The scale of the confidence: robust, careful with few containers, right with many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.counting.confidence import EIGHTY
from darkroom.counting.review.fitting import LEAST, MOST, PRIOR, fitted_scale

ERRORS = st.lists(st.floats(-50, 50), max_size=60)


def test_without_a_review_nothing_is_scaled():
    assert fitted_scale([]) == 1.0


@pytest.mark.parametrize("true", [0.5, 1.0, 2.0])
def test_many_reviews_show_how_far_the_errors_were_off(true: float):
    errors = np.random.default_rng(7).normal(0, true, 2000)
    scale = fitted_scale(errors)
    assert scale == pytest.approx(true, rel=0.08)
    assert np.mean(np.abs(errors) <= EIGHTY * scale) == pytest.approx(0.8, abs=0.03)


@given(ERRORS)
def test_the_scale_lies_between_one_and_what_the_reviews_alone_say(errors: list[float]):
    scale = fitted_scale(errors)
    assert LEAST <= scale <= MOST
    if errors:
        alone = np.quantile(np.abs(errors), 0.8) / EIGHTY
        assert min(1, alone) - 1e-9 <= scale or scale >= LEAST
        assert (scale - 1) * (np.clip(alone, LEAST, MOST) - 1) >= -1e-12


@given(ERRORS, st.randoms(use_true_random=False))
def test_neither_order_nor_sign_matters(errors: list[float], random):
    turned = [error * random.choice((-1, 1)) for error in errors]
    random.shuffle(turned)
    assert fitted_scale(turned) == pytest.approx(fitted_scale(errors))


@given(ERRORS, st.floats(1, 10))
def test_larger_errors_never_give_a_smaller_scale(errors: list[float], factor: float):
    assert fitted_scale([error * factor for error in errors]) >= fitted_scale(errors) - 1e-12


@given(st.lists(st.floats(-2, 2), min_size=10, max_size=60), st.floats(100, 1e6))
def test_one_container_miscounted_by_a_person_moves_it_little(errors: list[float], wild: float):
    calm = fitted_scale([*errors, max(map(abs, errors))])
    assert fitted_scale([*errors, wild]) == pytest.approx(calm)


def test_few_reviews_move_it_little():
    one = fitted_scale([EIGHTY * 4])
    assert one == pytest.approx(4 ** (1 / (1 + PRIOR)))
