"""Charts and sparklines as SVG within the page, drawn by pygal.

Pygal brings styles, scripts and a random id along, none of which our pages allow. What is left is
shapes with classes, drawn by our own stylesheet in the reader's theme; each value speaks on hover.
A chart is never alone: its page has the same figures as a table.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import pygal
from markupsafe import Markup
from pygal.style import Style

from darkroom.web.formats import number

Number = float | int | None

# Pygal leaves room for labels by it; the stylesheet draws them no larger.
STYLE = Style(label_font_size=15, major_label_font_size=15)
SIZE = {"width": 560, "height": 200}
SPARK_SIZE = {"width": 160, "height": 32}
COMMON = {
    "js": (),
    "css": (),
    "disable_xml_declaration": True,
    "no_prefix": True,
    "show_legend": False,
    "margin": 4,
    "spacing": 4,
    "no_data_text": "",
    "truncate_label": -1,
}


@dataclass(frozen=True)
class Series:
    """One row of values.

    Parameters
    ----------
    name
        What they are.
    style
        The class they are drawn with: well, badly, again, first, second, third.
    values
        One a mark of the x axis; None: nothing there.
    spoken
        What each says on hover.
    """

    name: str
    style: str
    values: Sequence[Number]
    spoken: Sequence[str] = ()


class _Quick:
    """Pygal in half the time: it looks for an attribute once, and leaves out what we throw away."""

    def __getattribute__(self, name: str) -> Any:
        # A chart's state goes before its configuration; pygal asks for it five times an attribute.
        state = object.__getattribute__(self, "__dict__").get("state")
        if state is not None and name != "state" and name in state.__dict__:
            return state.__dict__[name]
        return object.__getattribute__(self, name)

    def _tooltip_data(self, *_args: Any, **_options: Any) -> None:
        """Nothing: what it writes is for pygal's script."""

    def _static_value(self, *_args: Any, **_options: Any) -> None:
        """Nothing: values are not written beside their shapes."""


class _StackedBar(_Quick, pygal.StackedBar):  # type: ignore[misc]
    """Pygal's stacked bars."""


class _Line(_Quick, pygal.Line):  # type: ignore[misc]
    """Pygal's lines."""


def bars(title: str, marks: Sequence[str], series: Sequence[Series]) -> Markup:
    """Stacked bars, one a mark of the x axis; empty marks are not written."""
    tops = [sum(value or 0 for value in values) for values in zip(*_values(series), strict=True)]
    chart = _StackedBar(**_with_axes(tops, marks))
    return _draw(chart, title, [_without_zeros(row) for row in series])


def lines(title: str, marks: Sequence[str], series: Sequence[Series]) -> Markup:
    """A line a series."""
    tops = [value for values in _values(series) for value in values if value is not None]
    chart = _Line(**_with_axes(tops, marks), dots_size=3)
    return _draw(chart, title, series)


def sparkline(title: str, values: Sequence[Number]) -> Markup:
    """A small line without axes."""
    top = max((value for value in values if value is not None), default=0) or 1
    chart = _Line(
        **COMMON,
        **SPARK_SIZE,
        classes=("spark-svg",),
        show_dots=False,
        show_x_labels=False,
        show_y_labels=False,
        show_x_guides=False,
        show_y_guides=False,
        range=(0, top),
    )
    return _draw(chart, title, [Series(title, "spark", values)])


def nice_top(value: float) -> float:
    """The least of 1, 2, 4, 10, 20, 40 … (and their tenths …) that is not less."""
    if value <= 0:
        return 1.0
    ten = 10.0 ** math.floor(math.log10(value))
    return next(ten * step for step in (1, 2, 4, 10, 20) if ten * step >= value * 0.999999)


def _without_zeros(row: Series) -> Series:
    return replace(row, values=[value or None for value in row.values])


def _values(series: Sequence[Series]) -> list[Sequence[Number]]:
    return [row.values for row in series]


def _with_axes(tops: Sequence[float], marks: Sequence[str]) -> dict[str, Any]:
    top = nice_top(max(tops, default=0))
    return {
        **COMMON,
        **SIZE,
        "style": STYLE,
        "margin_right": 20,
        "classes": ("chart-svg",),
        "x_labels": list(marks),
        "x_labels_major": [mark for mark in marks if mark],
        "show_minor_x_labels": False,
        "y_labels": [
            {"value": at, "label": number(at, 3 if top < 1 else 1)} for at in (0, top / 2, top)
        ],
        "range": (0, top),
        "value_formatter": str,
    }


def _draw(chart: Any, title: str, series: Sequence[Series]) -> Markup:
    # Pygal draws no axes without a series.
    for row in series or [Series(title, "well", ())]:
        chart.add(row.name, _spoken(row))
    chart.add_xml_filter(lambda root: _cleaned(root, title, series))
    return Markup(chart.render(is_unicode=True))


def _spoken(row: Series) -> list[Any]:
    if not row.spoken:
        return list(row.values)
    return [
        None if value is None else {"value": value, "label": said}
        for value, said in zip(row.values, row.spoken, strict=True)
    ]


def _cleaned(root: Element, title: str, series: Sequence[Series]) -> Element:
    for parent in list(root.iter()):
        for child in list(parent):
            if _is_unwanted(child):
                parent.remove(child)
    root.attrib.pop("id", None)
    root.set("role", "img")
    root.set("aria-label", title)
    for place, row in enumerate(series):
        _name(root, f"serie-{place}", row)
    return root


def _is_unwanted(element: Element) -> bool:
    classes = set(element.get("class", "").split())
    return (
        # A comment's tag is a function.
        not isinstance(element.tag, str)
        or element.tag in {"defs", "title", "style", "script"}
        or bool(classes & {"background", "text-overlay", "tooltip-overlay", "titles"})
        or element.get("height") == "0.0"
    )


def _name(root: Element, serie: str, row: Series) -> None:
    """Give the shapes of a series its style, and each the words it says on hover."""
    for group in root.iter("g"):
        if serie in group.get("class", "").split():
            group.set("class", f"series {row.style}")
            for shape in group.iter("g"):
                _speak(shape)


def _speak(shape: Element) -> None:
    for desc in shape.findall("desc"):
        if desc.get("class") == "label":
            SubElement(shape, "title").text = desc.text
        shape.remove(desc)
