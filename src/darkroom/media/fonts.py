"""Fonts that subtitles are drawn with, and whether they have the letters."""

from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from darkroom.errors import Invalid

FAMILY = "DejaVu Sans"
"""What is taken where nothing else is asked for."""
_SHIPPED = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf")
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
    return load(_shipped() / _SHIPPED[0])


def families(folder: Path) -> dict[str, Path]:
    """Where each font lies, by its family: those that come along, then those in the folder."""
    added = sorted(path for path in folder.glob("*.[to]tf") if path.is_file())
    found: dict[str, Path] = {}
    for path in [*(_shipped() / name for name in _SHIPPED), *added]:
        # A broken file of the owner's is no reason to have none.
        with suppress(Invalid):
            found.setdefault(load(path).family, path)
    return found


def choose(folder: Path, family: str | None, text: str) -> Font:
    """The font of that family; without one, the first that has all letters of the text.

    Raises
    ------
    Invalid
        When there is none of that name.
    """
    known = families(folder)
    if family is not None and family not in known:
        raise Invalid(f"There is no font {family}. There are: {', '.join(known)}.", "font")
    if family is not None:
        return load(known[family])
    letters = {letter for letter in text if not letter.isspace()}
    fitting = (font for font in map(load, known.values()) if letters <= font.letters)
    return next(fitting, None) or default()


def _shipped() -> Path:
    package = find_spec("matplotlib")
    if package is None or package.origin is None:
        raise FileNotFoundError("matplotlib, which carries the fonts, is not installed")
    return Path(package.origin).parent / "mpl-data" / "fonts" / "ttf"


def insist_covers(font: Font, text: str) -> None:
    """`Invalid` where the font lacks letters of the text: they would not be seen."""
    missing = sorted({letter for letter in text if not letter.isspace()} - font.letters)
    if missing:
        shown = " ".join(missing[:_TOLD])
        raise Invalid(f"{font.family} has no letters for: {shown}. Take another font.", "font")
