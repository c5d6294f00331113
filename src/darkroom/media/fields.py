"""What a request says, by dotted names (`scenes.0.text`): of JSON and of a form alike."""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.errors import Invalid

_DEEPEST = 2
"""Dots in a name."""
_NUMBER = re.compile("[0-9]{1,4}")
_YES, _NO = frozenset({"true", "1", "on", "yes"}), frozenset({"false", "0", "off", "no", ""})


def flat(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The values of nested JSON by their dotted names; what lies deeper than names go stays."""
    return dict(_flattened(sent.items()))


def _flattened(items: Iterable[tuple[Any, Any]], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in items:
        name = f"{before}{key}"
        inside = _inside(value) if name.count(".") < _DEEPEST else None
        if inside is None:
            yield name, value
        else:
            yield from _flattened(inside, f"{name}.")


def _inside(value: Any) -> Iterable[tuple[Any, Any]] | None:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else None


@dataclass(frozen=True)
class Fields:
    """The fields of a request. What is missing, empty or null is as if it had not been sent."""

    values: Mapping[str, Any]

    def numbers(self, name: str) -> list[int]:
        """The numbers N of all names that begin with `name.N`, in order."""
        parts = (key.split(".") for key in self.values if key.startswith(f"{name}."))
        return sorted({int(part[1]) for part in parts if _NUMBER.fullmatch(part[1])})

    def text(self, name: str, most: int) -> str:
        """A text of one line; "" where there is none."""
        given = self._given(name)
        if given is None:
            return ""
        if not isinstance(given, str) or len(given) > most:
            raise Invalid(f"{name} must be a text of at most {most} characters.", name)
        return " ".join("".join(c if c.isprintable() else " " for c in given).split())

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number; None where there is none."""
        given = self._given(name)
        if given is None:
            return None
        try:
            found = math.nan if isinstance(given, bool) else float(given)
        except (TypeError, ValueError, OverflowError):
            found = math.nan
        if not low <= found <= high:
            raise Invalid(
                f"{name} must be a number from {low:g} to {high:g}, not {str(given)[:40]}.", name
            )
        return found

    def choice(self, name: str, known: Collection[str], usual: str) -> str:
        """One of the words."""
        given = self._given(name)
        found = usual if given is None else str(given)
        if found not in known:
            raise Invalid(f"{name} must be one of {', '.join(known)}, not {str(given)[:40]}.", name)
        return str(found)

    def flag(self, name: str, usual: bool) -> bool:
        """Yes or no."""
        given = self._given(name)
        said = str(usual if given is None else given).lower()
        if said not in _YES | _NO:
            raise Invalid(f"{name} must be true or false, not {said[:40]}.", name)
        return said in _YES

    def _given(self, name: str) -> Any:
        given = self.values.get(name)
        return None if given == "" else given
