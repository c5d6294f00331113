"""How burnt-in subtitles look."""

import re
from dataclasses import dataclass

from darkroom.errors import Invalid

HEIGHT = 1080
"""Lengths are pixels of a picture whose shorter side is this long."""
POSITIONS = {"bottom": 2, "middle": 5, "top": 8}
"""Where text stands, and what ASS calls that."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_SMALLEST, _LARGEST = 16, 200
_WIDEST_OUTLINE = 20


@dataclass(frozen=True)
class Style:
    """What text looks like, and where it stands.

    Attributes
    ----------
    size : of the letters
    colour, outline_colour : "#rrggbb"
    outline : its width
    position : "bottom", "middle" or "top"
    margin_x, margin_y : from the sides, and from the edge that it stands at
    """

    size: float = 52
    colour: str = "#ffffff"
    outline_colour: str = "#000000"
    outline: float = 3
    position: str = "bottom"
    margin_x: int = 60
    margin_y: int = 60

    def __post_init__(self) -> None:
        _insist_between(self.size, _SMALLEST, _LARGEST, "size")
        _insist_between(self.outline, 0, _WIDEST_OUTLINE, "outline")
        _insist_between(self.margin_x, 0, HEIGHT // 2, "margin_x")
        _insist_between(self.margin_y, 0, HEIGHT // 2, "margin_y")
        for field in ("colour", "outline_colour"):
            if not _COLOUR.fullmatch(getattr(self, field)):
                raise Invalid("A colour is written like #ffcc00.", field)
        if self.position not in POSITIONS:
            raise Invalid(f"The position is one of: {', '.join(POSITIONS)}.", "position")


def _insist_between(value: float, least: float, most: float, field: str) -> None:
    # Not a number is between nothing.
    if not least <= value <= most:
        raise Invalid(f"This is between {least:g} and {most:g}.", field)
