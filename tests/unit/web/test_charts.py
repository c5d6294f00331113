import re

import pytest
from flask import Flask
from flask_babel import Babel

from darkroom.web import charts
from darkroom.web.charts import Series


@pytest.fixture(autouse=True)
def in_a_language():
    app = Flask("test")
    Babel(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 1), (0.3, 0.4), (1, 1), (1.1, 2), (3, 4), (9, 10), (10, 10), (11, 20), (4001, 10_000)],
)
def test_an_axis_ends_at_a_round_number(value: float, top: float):
    assert charts.nice_top(value) == pytest.approx(top)


def test_a_chart_has_neither_styles_nor_scripts_nor_the_time_of_day():
    series = [Series("Done", "well", [1, 2], ["one", "two"])]
    drawn = charts.bars("Ended", ["−1 min", "now"], series)
    assert drawn == charts.bars("Ended", ["−1 min", "now"], series)
    for unwanted in ("<style", "<script", "<!--", "style=", "id="):
        assert unwanted not in drawn


def test_every_bar_speaks():
    drawn = charts.bars("Ended", ["", ""], [Series("Done", "well", [1, 2], ["one <", "two"])])
    assert re.findall("<title>(.*?)</title>", drawn) == ["one &lt;", "two"]


def test_a_bar_of_nothing_is_not_drawn():
    drawn = charts.bars("Ended", ["", ""], [Series("Done", "well", [0, 2], ["none", "two"])])
    assert drawn.count("<rect") == 1


@pytest.mark.parametrize("values", [[], [0], [0, 0, 0], [None, 1], [1e12, 3]])
def test_whatever_the_figures_something_is_drawn(values: list[float | None]):
    assert 'role="img"' in charts.sparkline("Ended", values)
    assert 'role="img"' in charts.lines("Busy", [""] * len(values), [Series("io", "first", values)])


def test_a_chart_of_no_series_is_empty():
    assert "<rect" not in charts.bars("Ended", [], [])
