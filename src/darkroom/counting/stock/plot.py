"""The history of a location's stock as a chart."""

from collections.abc import Sequence

from flask_babel import format_date, gettext
from markupsafe import Markup

from darkroom.counting.stock.reading import Level
from darkroom.web import charts
from darkroom.web.charts import Series
from darkroom.web.formats import number

MARKS = 5


def draw(levels: Sequence[Level]) -> Markup:
    """A line of the plants that were there when each day ended."""
    spoken = [f"{format_date(level.day, 'medium')}: {number(level.quantity)}" for level in levels]
    series = Series("stock", "first", [float(level.quantity) for level in levels], spoken)
    return charts.lines(title(), _marks(levels), [series])


def title() -> str:
    """What the chart shows."""
    return str(gettext("Plants at the end of the day"))


def _marks(levels: Sequence[Level]) -> list[str]:
    """A few of the days, the others empty."""
    last = max(len(levels) - 1, 1)
    marked = {round(place * last / (MARKS - 1)) for place in range(MARKS)}
    days = [format_date(level.day, "d MMM") for level in levels]
    return [day if at in marked else "" for at, day in enumerate(days)]
