"""Fonts that subtitles are drawn with, and whether they have the letters."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from darkroom.errors import Invalid

_TOLD = 8
_FAMILY, _TYPOGRAPHIC_FAMILY = 1, 16
"""Numbers of names in a font."""


@dataclass(frozen=True)
class Font:
    """A font file, the name of its family, and the characters that it has."""

    path: Path
    family: str
    letters: frozenset[str]


def load(path: Path) -> Font:
    """A TrueType or OpenType font; `Invalid` where the file is none."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, lazy=True) as font:
            names, letters = font["name"], font.getBestCmap()
    except (TTLibError, KeyError, OSError) as error:
        raise Invalid("This is no TrueType or OpenType font.", "font") from error
    family = names.getDebugName(_TYPOGRAPHIC_FAMILY) or names.getDebugName(_FAMILY)
    return Font(path, str(family), frozenset(map(chr, letters or ())))


def default() -> Font:
    """DejaVu Sans (Latin, Greek, Cyrillic, Arabic), of matplotlib's package."""
    package = find_spec("matplotlib")
    if package is None or package.origin is None:
        raise FileNotFoundError("matplotlib, which carries the font, is not installed")
    return load(Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")


def insist_covers(font: Font, text: str) -> None:
    """`Invalid` where the font lacks letters of the text: they would not be seen."""
    missing = sorted({letter for letter in text if not letter.isspace()} - font.letters)
    if missing:
        shown = " ".join(missing[:_TOLD])
        raise Invalid(f"{font.family} has no letters for: {shown}. Take another font.", "font")
