"""What a field of a place or product may hold: read from JSON, a form or a file, in one way.

Every field reads what it is given, be it a JSON value or its text, and raises `Invalid` that names
the field, what is wrong and what to do. An empty text is no value.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol

from darkroom.counting.places import outlines
from darkroom.db.texts import is_storable
from darkroom.errors import Invalid

YES = frozenset({"true", "yes", "1", "on", "x", "sí", "si", "verdadero"})
NO = frozenset({"false", "no", "0", "off", "falso"})
LONGEST = 200
HIGHEST = 2**31 - 1


class Book(Protocol):
    """Finds the rows that fields refer to."""

    def find(self, kind: str, given: str | int) -> int | None:
        """The number of the row of that kind with that code (a text) or that number."""


@dataclass(frozen=True)
class Field:
    """A text of one line."""

    name: str
    label: str
    required: bool = False
    hint: str = ""
    input = "text"

    def read(self, given: object, book: Book) -> Any:
        """The value to keep, or None.

        Raises
        ------
        Invalid
            Naming the field.
        """
        if given is None or (isinstance(given, str) and not given.strip()):
            if self.required:
                raise Invalid("This is needed.", self.name)
            return None
        if isinstance(given, str) and not is_storable(given):
            raise Invalid("This holds a character that cannot be stored.", self.name)
        return self.parse(given.strip() if isinstance(given, str) else given, book)

    def parse(self, given: Any, book: Book) -> Any:
        """The value of what is neither None nor an empty text."""
        text = given if isinstance(given, str) else ""
        if not text:
            raise Invalid("This must be a text.", self.name)
        if len(text) > LONGEST:
            raise Invalid(f"This must have at most {LONGEST} characters.", self.name)
        return text

    def text(self, value: Any) -> str:
        """The value as a form or a file shows it."""
        return "" if value is None else str(value)


@dataclass(frozen=True)
class Lines(Field):
    """A text that may be long; never None."""

    input = "lines"

    def read(self, given: object, book: Book) -> Any:
        return super().read(given, book) or ""

    def parse(self, given: Any, book: Book) -> Any:
        if not isinstance(given, str) or len(given) > 5000:
            raise Invalid("This must be a text of at most 5000 characters.", self.name)
        return given


@dataclass(frozen=True)
class Code(Field):
    """A short name for labels and files, in capitals unless `capitals` is False."""

    capitals: bool = True

    def parse(self, given: Any, book: Book) -> Any:
        # Spreadsheets make numbers of codes that look like them.
        code = str(given) if isinstance(given, str | int) and given is not True else ""
        code = code.upper() if self.capitals else code
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}", code):
            raise Invalid(
                "A code has 1 to 50 letters (A to Z), digits, dots, dashes or underscores, and "
                "begins with a letter or digit.",
                self.name,
            )
        return code


@dataclass(frozen=True)
class Flag(Field):
    """Yes or no; `default` where nothing is said."""

    default: bool = False
    input = "flag"

    def read(self, given: object, book: Book) -> Any:
        found = super().read(given, book)
        return self.default if found is None else found

    def parse(self, given: Any, book: Book) -> Any:
        if isinstance(given, bool):
            return given
        word = str(given).lower()
        if word in YES or word in NO:
            return word in YES
        raise Invalid("This must be true or false (or yes or no, 1 or 0).", self.name)

    def text(self, value: Any) -> str:
        return "true" if value else "false"


@dataclass(frozen=True)
class Whole(Field):
    """A whole number from `low` on."""

    low: int = 0
    input = "whole"

    def parse(self, given: Any, book: Book) -> Any:
        number = _number(given)
        if number is None or number != int(number) or not self.low <= number <= HIGHEST:
            raise Invalid(f"This must be a whole number of at least {self.low}.", self.name)
        return int(number)


@dataclass(frozen=True)
class Amount(Field):
    """A number above 0."""

    input = "amount"

    def parse(self, given: Any, book: Book) -> Any:
        number = _number(given)
        if number is None or not 0 < number <= 1e12:
            raise Invalid("This must be a number above 0.", self.name)
        return number

    def text(self, value: Any) -> str:
        return "" if value is None else f"{value:g}"


@dataclass(frozen=True)
class Choice(Field):
    """One of a few words."""

    options: tuple[str, ...] = ()
    input = "choice"

    def parse(self, given: Any, book: Book) -> Any:
        word = str(given).lower()
        if word not in self.options:
            raise Invalid(f"This must be one of: {', '.join(self.options)}.", self.name)
        return word


@dataclass(frozen=True)
class Reference(Field):
    """Another row, by its number (`name` ends in _id) or its code; `kind` names what it is of."""

    kind: str = ""
    input = "reference"

    def parse(self, given: Any, book: Book) -> Any:
        if isinstance(given, str) or (isinstance(given, int) and not isinstance(given, bool)):
            found = book.find(self.kind, given)
            if found is not None:
                return found
        raise Invalid(
            f"There is none with the code or number “{_brief(given)}”: correct it or add it.",
            self.name,
        )


@dataclass(frozen=True)
class Outline(Field):
    """A GeoJSON Polygon or MultiPolygon."""

    input = "outline"

    def parse(self, given: Any, book: Book) -> Any:
        return outlines.read_outline(given, self.name)

    def text(self, value: Any) -> str:
        return "" if value is None else json.dumps(value)


@dataclass(frozen=True)
class Spot(Field):
    """A GeoJSON Point, or “latitude, longitude”."""

    def parse(self, given: Any, book: Book) -> Any:
        return outlines.read_point(given, self.name)

    def text(self, value: Any) -> str:
        if value is None:
            return ""
        longitude, latitude = value["coordinates"][:2]
        return f"{latitude}, {longitude}"


@dataclass(frozen=True)
class Colour(Field):
    """A colour in OpenCV's HSV: three whole numbers, H 0 to 179, S and V 0 to 255."""

    def parse(self, given: Any, book: Book) -> Any:
        parts = re.split(r"[\s,;]+", given.strip("[]() ")) if isinstance(given, str) else given
        numbers = [_number(part) for part in parts] if isinstance(parts, Sequence) else []
        tops = (179, 255, 255)
        fits = len(numbers) == 3 and all(
            number is not None and number == int(number) and 0 <= number <= top
            for number, top in zip(numbers, tops, strict=True)
        )
        if not fits:
            raise Invalid(
                "This must be three whole numbers like 35, 40, 40: hue 0 to 179, saturation and "
                "value 0 to 255.",
                self.name,
            )
        return [int(number) for number in numbers if number is not None]

    def text(self, value: Any) -> str:
        return "" if value is None else ", ".join(map(str, value))


@dataclass(frozen=True)
class Greens(Field):
    """Excess green of the floor and of leaves, 0 to 255: an object of `floor` and `ceiling`."""

    input = "lines"

    def parse(self, given: Any, book: Book) -> Any:
        try:
            found = json.loads(given) if isinstance(given, str) else given
        except (ValueError, RecursionError):
            found = None
        known = found if isinstance(found, dict) else {}
        floor, ceiling = _number(known.get("floor")), _number(known.get("ceiling"))
        if floor is None or ceiling is None or not 0 <= floor <= ceiling <= 255 or len(known) != 2:
            raise Invalid(
                'This must be like {"floor": 20, "ceiling": 90}: floor at most ceiling, both 0 to '
                "255.",
                self.name,
            )
        return {"floor": floor, "ceiling": ceiling}

    def text(self, value: Any) -> str:
        return "" if value is None else json.dumps(value)


def _number(given: object) -> float | None:
    """A number of JSON or of a text, with a decimal point or comma; None for anything else."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        found = float(given.replace(",", ".", 1) if isinstance(given, str) else given)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def _brief(given: object) -> str:
    text = str(given)
    return text if len(text) <= 60 else f"{text[:57]}…"
