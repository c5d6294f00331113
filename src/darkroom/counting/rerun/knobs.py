"""What can be set otherwise when photos are counted again. The names are those of the settings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from darkroom.errors import Invalid
from darkroom.settings import CountingSettings

Json = dict[str, Any]

FIGURES = ("buffered", "unbiased")
RANGE = {"hsv_low", "hsv_high"}


@dataclass(frozen=True)
class Knob:
    """One of them, whose value is one of `options`."""

    name: str
    options: tuple[str, ...] = ()

    def read(self, given: object) -> Any:
        """The value, from JSON or a form's text; `Invalid` names the knob where it is none."""
        if given not in self.options:
            known = ", ".join(self.options)
            raise Invalid(f"This must be one of: {known}.", self.name)
        return given


@dataclass(frozen=True)
class Number(Knob):
    """A number between `low` and `high`, both allowed."""

    low: float = 0.0
    high: float = 1.0

    def read(self, given: object) -> Any:
        number = _number(given)
        if number is None or not self.low <= number <= self.high:
            message = f"This must be a number from {self.low:g} to {self.high:g}."
            raise Invalid(message, self.name)
        return number


@dataclass(frozen=True)
class Whole(Number):
    """A whole number between `low` and `high`, both allowed."""

    def read(self, given: object) -> Any:
        number = _number(given)
        if number is None or number != int(number) or not self.low <= number <= self.high:
            message = f"This must be a whole number from {self.low:g} to {self.high:g}."
            raise Invalid(message, self.name)
        return int(number)


@dataclass(frozen=True)
class Colour(Knob):
    """A corner of an HSV range in OpenCV's scale, as a list of three whole numbers."""

    def read(self, given: object) -> Any:
        parts = re.split(r"[\s,;]+", given.strip("[]() ")) if isinstance(given, str) else given
        numbers = [_number(part) for part in parts] if isinstance(parts, list) else []
        fits = len(numbers) == 3 and all(
            number is not None and number == int(number) and 0 <= number <= top
            for number, top in zip(numbers, (179, 255, 255), strict=True)
        )
        if not fits:
            raise Invalid(
                "This must be three whole numbers like 35, 40, 40: hue 0 to 179, saturation and "
                "value 0 to 255.",
                self.name,
            )
        return [int(number) for number in numbers if number is not None]


def knobs(plants: Sequence[str], containers: Sequence[str]) -> tuple[Knob, ...]:
    """All of them, where there are weights of these names for plants and for containers."""
    return (
        Knob("plant_weights", tuple(plants)),
        Knob("container_weights", tuple(containers)),
        Number("confidence", low=0.01, high=0.99),
        Whole("slice_size", low=160, high=4096),
        Knob("stock_figure", FIGURES),
        Number("alpha", low=0.5, high=1.0),
        Colour("hsv_low"),
        Colour("hsv_high"),
    )


def read(given: Mapping[str, Any], known: Sequence[Knob]) -> tuple[Json, dict[str, str]]:
    """The values that are given, and what is wrong with the others, each by its field.

    An empty value is none.
    """
    by_name = {knob.name: knob for knob in known}
    found, wrong = {}, {}
    for name, value in given.items():
        try:
            if name not in by_name:
                listed = ", ".join(by_name)
                raise Invalid(f"There is no such setting. There are: {listed}.", name)
            if value is not None and value != "":
                found[name] = by_name[name].read(value)
        except Invalid as error:
            wrong[name] = error.message
    return found, wrong


def settled(base: Json, before: Json, given: Json) -> Json:
    """What is set otherwise than `base`, when a session that had `before` is counted with `given`.

    Raises
    ------
    Invalid
        When no colour lies between the colours.
    """
    wanted = base | before | given
    low, high = wanted["hsv_low"], wanted["hsv_high"]
    # Hues go round.
    if low[1] > high[1] or low[2] > high[2]:
        raise Invalid("Saturation and value must be at least those of the other end.", "hsv_high")
    kept = {name: value for name, value in wanted.items() if value != base[name]}
    # The two ends of a range are one thing: what the other is may differ by product.
    return kept | ({"hsv_low": low, "hsv_high": high} if kept.keys() & RANGE else {})


def in_use(settings: CountingSettings) -> Json:
    """The value of every knob, as JSON has it."""
    return {
        "plant_weights": settings.plant_weights,
        "container_weights": settings.container_weights,
        "confidence": settings.confidence,
        "slice_size": settings.slice_size,
        "stock_figure": settings.stock_figure,
        "alpha": settings.alpha,
        "hsv_low": list(settings.hsv_low),
        "hsv_high": list(settings.hsv_high),
    }


def applied(base: CountingSettings, own: Mapping[str, Any]) -> CountingSettings:
    """The settings with a session's own in place of them."""
    values: Json = {
        name: tuple(value) if isinstance(value, list) else value for name, value in own.items()
    }
    return replace(base, **values)


def _number(given: object) -> float | None:
    """A number of JSON or of a text, with a decimal point or comma; None for anything else."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        found = float(given.replace(",", ".", 1) if isinstance(given, str) else given)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) else None
