"""Titles: drawn as pictures, so that what people wrote never meets a filter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from darkroom.media.fonts import Font
from darkroom.media.videos.graphs import Overlay

_SIZE, _SMALLEST = 0.075, 0.03
"""Height of the letters, of the frame's shorter side."""
_WIDEST, _HIGHEST = 0.86, 0.5
"""Of the frame."""
_EDGE = 0.08
_OUTLINE = 0.08
"""Of the letters' height."""
_LEADING = 1.25


@dataclass(frozen=True)
class _Text:
    lines: Sequence[str]
    font: ImageFont.FreeTypeFont
    height: int

    @property
    def outline(self) -> int:
        return max(2, round(_OUTLINE * self.height))

    @property
    def box(self) -> tuple[int, int]:
        """Pixels, width and height, both even."""
        wide = max(self.font.getlength(line) for line in self.lines) + 2 * self.outline
        high = self.height * _LEADING * len(self.lines) + 2 * self.outline
        return _even(wide), _even(high)


def draw(text: str, place: str, font: Font, frame: tuple[int, int], target: Path) -> Overlay:
    """Write a title as a PNG that is clear around its letters; answers where it lies.

    Parameters
    ----------
    place : "top", "middle" or "bottom"
    frame : pixels, width and height
    """
    chosen = _laid_out(text, font, frame)
    box = chosen.box
    image = Image.new("RGBA", box, (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(chosen.lines):
        y = chosen.outline + number * chosen.height * _LEADING
        pen.text(
            (box[0] / 2, y), line, font=chosen.font, fill="white", anchor="ma",
            stroke_width=chosen.outline, stroke_fill=(0, 0, 0, 200),
        )  # fmt: skip
    image.save(target, "PNG")
    return Overlay(_even((frame[0] - box[0]) / 2), _top(place, box[1], frame[1]))


def _laid_out(text: str, font: Font, frame: tuple[int, int]) -> _Text:
    """The text in lines, in the largest letters that it fits in with."""
    side = min(frame)
    wide, high = _WIDEST * frame[0], _HIGHEST * frame[1]
    height = round(_SIZE * side)
    while True:
        chosen = _wrapped(text, font, height, wide)
        fits = chosen.box[0] <= wide and chosen.box[1] <= high
        if fits or height <= _SMALLEST * side:
            return chosen
        height -= 2


def _wrapped(text: str, font: Font, height: int, wide: float) -> _Text:
    drawn = ImageFont.truetype(str(font.path), height)

    def fits(line: str) -> bool:
        # Their outline goes beyond the letters.
        return drawn.getlength(line) <= wide - 0.4 * height

    lines: list[str] = []
    for word in text.split():
        if lines and fits(f"{lines[-1]} {word}"):
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines += _broken(word, fits)
    return _Text(lines, drawn, height)


def _broken(word: str, fits: Callable[[str], bool]) -> list[str]:
    """The word, in as many parts as it takes for each to fit."""
    parts = [""]
    for letter in word:
        if parts[-1] and not fits(parts[-1] + letter):
            parts.append("")
        parts[-1] += letter
    return parts


def _top(place: str, height: int, frame: int) -> int:
    edge = _EDGE * frame
    tops = {"top": edge, "middle": (frame - height) / 2, "bottom": frame - edge - height}
    return _even(tops[place])


def _even(length: float) -> int:
    return max(0, round(length / 2) * 2)
