from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from darkroom.web import formats


@pytest.fixture(autouse=True)
def context():
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 s"),
        (0.42, "0.4 s"),
        (12.4, "12 s"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (20e6, "20 MB"), (3e9, "3 GB")]
)
def test_sizes_are_in_the_unit_that_people_read(size: float, text: str) -> None:
    assert formats.filesize(size) == text


def test_figures_follow_the_language() -> None:
    assert formats.number(12345.67, 1) == "12,345.7"
    with force_locale("de"):
        assert formats.number(12345.67, 1) == "12.345,7"


def test_rounded_negative_zero_has_no_sign() -> None:
    assert formats.number(-0.04, 1) == "0"


def test_time_is_relative_with_the_exact_one_on_hover() -> None:
    moment = datetime.now(UTC) - timedelta(minutes=5)
    text = formats.when(moment)
    assert ">5 minutes ago<" in text
    assert f'datetime="{moment.isoformat(timespec="seconds")}"' in text


def test_moment_ago_is_just_now() -> None:
    assert ">just now<" in formats.when(datetime.now(UTC))


def test_missing_time_is_a_dash() -> None:
    assert formats.when(None) == "\N{EN DASH}"
