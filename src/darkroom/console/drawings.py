"""Which dashboards have a chart, and how their figures become one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any

from flask_babel import format_datetime, get_locale, gettext
from markupsafe import Markup

from darkroom.console.dashboards import Answer
from darkroom.web import charts
from darkroom.web.charts import Series
from darkroom.web.formats import number

Json = dict[str, Any]

MARKS = 4
"""Intervals between the marks of a time axis."""
STYLES = ("first", "second", "third")


@dataclass(frozen=True)
class Drawing:
    """A chart, its title, and its legend: styles with words."""

    svg: Markup
    title: str
    legend: tuple[tuple[str, str], ...]


def _kept(draw: Callable[[Answer], Drawing]) -> Callable[[Answer], Drawing]:
    """Draw an answer once for all who look at it in one language: drawing outlasts the query."""
    drawn = lru_cache(maxsize=32)(lambda answer, _locale: draw(answer))

    @wraps(draw)
    def kept(answer: Answer) -> Drawing:
        return drawn(answer, str(get_locale()))

    return kept


def draw(name: str, answer: Answer) -> Drawing | None:
    """The chart of a dashboard, if it has one."""
    return DRAWN[name](answer) if name in DRAWN else None


@_kept
def throughput(answer: Answer) -> Drawing:
    """Attempts that ended well, badly, and badly for the time being, one bar a part."""
    legend = (
        ("well", gettext("Succeeded")),
        ("again", gettext("To be tried again")),
        ("badly", gettext("Failed")),
    )
    rows, times = answer.records[::-1], _times(answer)
    series = [
        _series(rows, word, style, column, times)
        for (style, word), column in zip(legend, ("succeeded", "retried", "failed"), strict=True)
    ]
    title = gettext("Attempts that ended")
    return Drawing(charts.bars(title, _marks(rows), series), title, legend)


@_kept
def busy(answer: Answer) -> Drawing:
    """The places in use, a line a lane."""
    lanes, times = _by_lane(answer), _times(answer)
    legend = lane_legend(answer)
    series = [
        _series(rows, lane, style, "busy", times)
        for (style, lane), rows in zip(legend, lanes.values(), strict=True)
    ]
    title = gettext("Places in use")
    rows = next(iter(lanes.values()), [])
    return Drawing(charts.lines(title, _marks(rows), series), title, legend)


def lane_legend(answer: Answer) -> tuple[tuple[str, str], ...]:
    """The lanes with the styles they are drawn in."""
    return tuple((STYLES[place % len(STYLES)], lane) for place, lane in enumerate(_by_lane(answer)))


def spark(answer: Answer, lane: str) -> Markup:
    """What ended in a lane, as a sparkline."""
    values = [float(row["ended"]) for row in _by_lane(answer).get(lane, [])]
    most = number(max(values, default=0))
    title = gettext("Ended in lane %(lane)s; at most %(most)s at once", lane=lane, most=most)
    return charts.sparkline(title, values)


def _by_lane(answer: Answer) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for row in reversed(answer.records):
        found.setdefault(row["lane"], []).append(row)
    return dict(sorted(found.items()))


def _times(answer: Answer) -> Mapping[datetime, str]:
    """The times of the axis in words, each put into words once."""
    minutes = {row["minute"] for row in answer.records}
    return {minute: f"{format_datetime(minute, 'short')} UTC" for minute in minutes}


def _series(
    rows: Sequence[Json], word: str, style: str, column: str, times: Mapping[datetime, str]
) -> Series:
    values = [float(row[column]) for row in rows]
    figures = {value: number(value, 2) for value in set(values)}
    spoken = [
        f"{word}, {times[row['minute']]}: {figures[value]}"
        for row, value in zip(rows, values, strict=True)
    ]
    return Series(word, style, values, spoken)


def _marks(rows: Sequence[Json]) -> list[str]:
    """How long ago, at a few places of the axis, the others empty."""
    if len(rows) < 2:
        return [""] * len(rows)
    last = len(rows) - 1
    marked = {round(place * last / MARKS) for place in range(MARKS + 1)}
    now = rows[-1]["minute"]
    return [_ago(now, row["minute"]) if at in marked else "" for at, row in enumerate(rows)]


def _ago(now: datetime, moment: datetime) -> str:
    minutes = round((now - moment).total_seconds() / 60)
    if minutes == 0:
        return str(gettext("now"))
    if minutes < 120:
        return f"−{minutes} min"
    return f"−{number(minutes / 60)} h" if minutes < 2880 else f"−{number(minutes / 1440, 1)} d"


DRAWN: dict[str, Callable[[Answer], Drawing]] = {"throughput": throughput, "lane_minutes": busy}
