"""The picture of a count: detections and estimates over the photo, and a legend."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from darkroom.counting.geometry import Bytes, Floats, Integers, MultiPolygon, centres

CYAN = (0, 255, 255)
BLUE = (0, 0, 255)
DISC_ALPHA = 0.3
POLYGON_ALPHA = 0.2
BLUR = 1 / 450
"""Side of the blur over the photo's shorter side: 9 pixels at 4000."""
LETTER = 1 / 48
"""Height of the legend's letters over the photo's longer side: they can be read where the whole of
it is seen on a screen."""
SMALLEST_LETTER = 13
"""In pixels: they can be read where the photo is seen at its own size."""
LONGEST_LEGEND, TALLEST_LEGEND = 0.9, 0.4
"""Shares of the photo's width and height that the legend may take."""
LINE, EDGE = 1.5, 0.6
"""Height of the legend's lines and width of its edges, in letters."""
STRIP = 1024
"""Rows that are drawn at a time: no layer of the whole photo."""
BLENDED = 64
"""Rows that are blended at a time."""
CUT = 4
"""Rows beyond a strip that are drawn with it and then cut off."""


@dataclass(frozen=True)
class Legend:
    """The figures under the picture; the labels may be translated."""

    detected: int
    estimated: int
    confidence: float
    labels: tuple[str, str, str] = ("Detected", "Estimated", "Confidence")

    def lines(self) -> tuple[str, str, str]:
        """The lines as they are written."""
        figures = (str(self.detected), str(self.estimated), f"{self.confidence:.0%}")
        first, second, third = zip(self.labels, figures, strict=True)
        return f"{first[0]}: {first[1]}", f"{second[0]}: {second[1]}", f"{third[0]}: {third[1]}"


def draw_over(
    picture: Bytes, detections: Floats, estimates: Sequence[MultiPolygon], legend: Legend
) -> None:
    """Draw a count over its photo, in place and at the photo's own size.

    Detections are discs of cyan at 0.3 on their middles, as wide as their longer side; estimates
    are blue at 0.2 in the true outlines of what was counted, softened. Each kind is one layer, so
    that what overlaps is no darker. Beside the picture only a strip of it is held.

    Parameters
    ----------
    picture
        RGB (H, W, 3).
    detections
        Boxes (N, 4), x1, y1, x2, y2 in pixels.
    estimates
        Regions in pixels, with or without holes.
    """
    height, width = picture.shape[:2]
    discs, shapes = _discs(detections), _shapes(estimates)
    side = round(min(height, width) * BLUR) // 2 * 2 + 1
    for start in range(0, height, STRIP):
        rows = picture[start : start + STRIP]
        window = _Window(start, len(rows), width)
        _blend(rows, _disc_layer(discs, window), CYAN, DISC_ALPHA)
        _blend(rows, _region_layer(shapes, window, side), BLUE, POLYGON_ALPHA)
    _write(picture, legend)


@dataclass(frozen=True)
class _Window:
    """The rows from `top` on, over the whole width, that are drawn at a time."""

    top: int
    height: int
    width: int

    def grown(self, margin: int) -> "_Window":
        return _Window(self.top - margin, self.height + 2 * margin, self.width)

    def layer(self) -> Bytes:
        return np.zeros((self.height, self.width), np.uint8)

    def meets(self, tops: Floats, bottoms: Floats) -> Integers:
        """Which of the shapes between these rows lie in it, at least in part."""
        return np.flatnonzero((bottoms >= self.top) & (tops <= self.top + self.height))


@dataclass(frozen=True)
class _Shapes:
    """Polygons, each a list of rings (P, 2), and the rows (N,) that they reach from and to."""

    rings: list[list[Floats]]
    tops: Floats
    bottoms: Floats


def _discs(detections: Floats) -> Floats:
    """Middle and radius (N, 3) of the discs."""
    radii = (detections[:, 2:] - detections[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centres(detections), radii])


def _disc_layer(discs: Floats, window: _Window) -> Bytes:
    # OpenCV smooths edges wrongly where a layer cuts them.
    seen = window.grown(CUT)
    layer = seen.layer()
    reach = discs[:, 2] + 1
    for place in seen.meets(discs[:, 1] - reach, discs[:, 1] + reach):
        x, y, radius = discs[place] * 16
        middle = (round(x - 8), round(y - 8 - 16 * seen.top))
        cv2.circle(layer, middle, round(radius), (255,), -1, cv2.LINE_AA, 4)
    return layer[CUT : CUT + window.height]


def _shapes(estimates: Sequence[MultiPolygon]) -> _Shapes:
    rings = [
        [np.array(ring, float) for ring in polygon]
        for estimate in estimates
        for polygon in estimate["coordinates"]
    ]
    tops = [min(ring[:, 1].min() for ring in polygon) for polygon in rings]
    bottoms = [max(ring[:, 1].max() for ring in polygon) for polygon in rings]
    return _Shapes(rings, np.array(tops, float), np.array(bottoms, float))


def _region_layer(shapes: _Shapes, window: _Window, side: int) -> Bytes:
    """The regions, softened by a blur of that side, which needs to see rows beyond the window."""
    margin = side // 2
    seen = window.grown(margin)
    layer = seen.layer()
    found = seen.meets(shapes.tops, shapes.bottoms)
    if not len(found):
        return window.layer()
    origin = np.array([0.5, 0.5 + seen.top])
    for place in found:
        fixed = [np.round((ring - origin) * 16).astype(np.int32) for ring in shapes.rings[place]]
        cv2.fillPoly(layer, fixed, (255,), cv2.LINE_8, 4)
    if side > 1:
        layer = np.asarray(cv2.GaussianBlur(layer, (side, side), 0), np.uint8)
    return layer[margin : margin + window.height]


def _blend(rows: Bytes, layer: Bytes, colour: tuple[int, int, int], alpha: float) -> None:
    """Mix a colour into rows, in place, as strongly as a layer (0 to 255) says times alpha."""
    tint = np.array(colour, np.int32)
    for part, weights in zip(_pieces(rows), _pieces(layer), strict=True):
        if weights.any():
            weight = weights[:, :, None] * np.int32(alpha * 256)
            part += ((tint - part) * weight // (255 * 256)).astype(np.uint8)


def _pieces(rows: Bytes) -> Iterator[Bytes]:
    """The rows a few at a time: blending takes numbers four times as wide."""
    for start in range(0, len(rows), BLENDED):
        yield rows[start : start + BLENDED]


@dataclass(frozen=True)
class _Plate:
    """The legend's plate: its lines below or beside each other, in letters of a size."""

    lines: Sequence[str]
    is_row: bool
    size: float

    @property
    def font(self) -> ImageFont.FreeTypeFont:
        return _font(self.size)

    @property
    def edge(self) -> int:
        return round(EDGE * self.size)

    @property
    def swatch(self) -> int:
        return round(0.8 * self.size)

    @property
    def widths(self) -> list[int]:
        """What each line takes with its swatch and the space behind it."""
        beside = self.swatch + 2 * self.edge
        return [round(self.font.getlength(line)) + beside for line in self.lines]

    @property
    def frame(self) -> tuple[int, int]:
        """Width and height."""
        step = round(LINE * self.size)
        if self.is_row:
            return sum(self.widths) + self.edge, step + self.edge
        return max(self.widths) + self.edge, step * len(self.lines) + self.edge

    @property
    def places(self) -> list[tuple[int, int]]:
        """Left and top of each line."""
        if self.is_row:
            lefts = [sum(self.widths[:place]) for place in range(len(self.lines))]
            return [(self.edge + left, self.edge) for left in lefts]
        step = round(LINE * self.size)
        return [(self.edge, self.edge + place * step) for place in range(len(self.lines))]

    def within(self, width: int, height: int) -> "_Plate":
        """The same, made smaller where a picture of that size would not show enough else."""
        taken = self.frame
        room = min(LONGEST_LEGEND * width / taken[0], TALLEST_LEGEND * height / taken[1])
        return _Plate(self.lines, self.is_row, self.size * min(1, room))


def _write(picture: Bytes, legend: Legend) -> None:
    plate = _fitting(legend.lines(), picture.shape[1], picture.shape[0])
    (width, height), edge, swatch = plate.frame, plate.edge, plate.swatch
    part = Image.fromarray(picture[edge : edge + height, edge : edge + width])
    pen = ImageDraw.Draw(part, "RGBA")
    pen.rectangle((0, 0, width, height), fill=(0, 0, 0, 170))
    colours = (CYAN, BLUE, None)
    for (left, top), line, colour in zip(plate.places, plate.lines, colours, strict=True):
        if colour:
            pen.rectangle((left, top, left + swatch, top + swatch), fill=colour)
        start = (left + swatch + edge, top - swatch // 8)
        pen.text(start, line, fill=(255, 255, 255), font=plate.font)
    picture[edge : edge + height, edge : edge + width] = np.asarray(part)


def _fitting(lines: Sequence[str], width: int, height: int) -> _Plate:
    """The layout with the larger letters, which can be read where the whole picture is seen, and
    where it is seen at its own size, as far as the legend then leaves enough of it."""
    size = max(max(width, height) * LETTER, SMALLEST_LETTER)
    layouts = [_Plate(lines, is_row, size).within(width, height) for is_row in (False, True)]
    return max(layouts, key=lambda plate: plate.size)


@lru_cache(maxsize=8)
def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_font_file(), size)


def _font_file() -> Path:
    """DejaVu Sans of matplotlib's package, found without importing it."""
    package = find_spec("matplotlib")
    if package is None or package.origin is None:
        raise FileNotFoundError("matplotlib, which carries the legend's font, is not installed")
    return Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
