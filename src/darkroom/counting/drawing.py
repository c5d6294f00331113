"""The picture of a count: detections and estimates over the photo, and a legend."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from darkroom.counting.geometry import Bytes, Floats, MultiPolygon, centres

CYAN = (0, 255, 255)
BLUE = (0, 0, 255)
DISC_ALPHA = 0.3
POLYGON_ALPHA = 0.2
BLUR = 1 / 450
"""Side of the blur over the photo's shorter side: 9 pixels at 4000."""
LETTER = 1 / 36
"""Height of the legend's letters over the photo's shorter side."""
SMALLEST_LETTER = 8
LONGEST_LEGEND = 0.9
"""Share of the photo's width that the legend may take."""
STRIP = 64
"""Rows that are blended at a time: no copy of the whole photo in wider numbers."""


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


def draw(
    photo: Bytes, detections: Floats, estimates: Sequence[MultiPolygon], legend: Legend
) -> Bytes:
    """Draw a count over its photo, at the photo's own size.

    Detections are discs of cyan at 0.3 on their middles, as wide as their longer side; estimates
    are blue at 0.2 in the true outlines of what was counted, softened. Each kind is one layer, so
    that what overlaps is no darker.

    Parameters
    ----------
    photo
        RGB (H, W, 3); it is not changed.
    detections
        Boxes (N, 4), x1, y1, x2, y2 in pixels.
    estimates
        Regions in pixels, with or without holes.
    """
    picture = photo.copy()
    _blend(picture, _discs(detections, picture.shape[:2]), CYAN, DISC_ALPHA)
    _blend(picture, _regions(estimates, picture.shape[:2]), BLUE, POLYGON_ALPHA)
    _write(picture, legend)
    return picture


def _discs(detections: Floats, shape: tuple[int, ...]) -> Bytes:
    layer = np.zeros(shape, np.uint8)
    radii = (detections[:, 2:] - detections[:, :2]).max(axis=1) / 2
    for (x, y), radius in zip(centres(detections), radii, strict=True):
        place = (round((x - 0.5) * 16), round((y - 0.5) * 16))
        cv2.circle(layer, place, round(radius * 16), (255,), -1, cv2.LINE_AA, 4)
    return layer


def _regions(estimates: Sequence[MultiPolygon], shape: tuple[int, ...]) -> Bytes:
    layer = np.zeros(shape, np.uint8)
    for estimate in estimates:
        for rings in estimate["coordinates"]:
            fixed = [np.round((np.array(ring) - 0.5) * 16).astype(np.int32) for ring in rings]
            cv2.fillPoly(layer, fixed, (255,), cv2.LINE_8, 4)
    side = round(min(shape) * BLUR) // 2 * 2 + 1
    return np.asarray(cv2.GaussianBlur(layer, (side, side), 0), np.uint8) if side > 1 else layer


def _blend(picture: Bytes, layer: Bytes, colour: tuple[int, int, int], alpha: float) -> None:
    """Mix a colour into a picture, in place, as strongly as a layer (0 to 255) says times alpha."""
    tint = np.array(colour, np.int32)
    for rows in _strips(len(picture)):
        if layer[rows].any():
            weight = layer[rows, :, None] * np.int32(alpha * 256)
            part = picture[rows]
            part += ((tint - part) * weight // (255 * 256)).astype(np.uint8)


def _strips(height: int) -> Iterator[slice]:
    for start in range(0, height, STRIP):
        yield slice(start, start + STRIP)


def _write(picture: Bytes, legend: Legend) -> None:
    lines = legend.lines()
    font = _fitting(lines, picture.shape[1], min(picture.shape[:2]))
    step, edge = round(font.size * 1.5), round(font.size * 0.6)
    swatch = round(font.size * 0.8)
    width = round(max(font.getlength(line) for line in lines)) + swatch + 3 * edge
    height = step * len(lines) + edge
    plate = Image.fromarray(picture[edge : edge + height, edge : edge + width])
    pen = ImageDraw.Draw(plate, "RGBA")
    pen.rectangle((0, 0, width, height), fill=(0, 0, 0, 170))
    for row, (line, colour) in enumerate(zip(lines, (CYAN, BLUE, None), strict=True)):
        top = edge + row * step
        if colour:
            pen.rectangle((edge, top, edge + swatch, top + swatch), fill=colour)
        pen.text((2 * edge + swatch, top - swatch // 8), line, fill=(255, 255, 255), font=font)
    picture[edge : edge + height, edge : edge + width] = np.asarray(plate)


def _fitting(lines: Sequence[str], width: int, shorter: int) -> ImageFont.FreeTypeFont:
    size = max(shorter * LETTER, SMALLEST_LETTER)
    longest = max(_font(size).getlength(line) for line in lines) + 3 * size
    return _font(size * min(1, LONGEST_LEGEND * width / longest))


@lru_cache(maxsize=8)
def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_font_file(), size)


def _font_file() -> Path:
    """DejaVu Sans of matplotlib's package, found without importing it."""
    package = find_spec("matplotlib")
    if package is None or package.origin is None:
        raise FileNotFoundError("matplotlib, which carries the legend's font, is not installed")
    return Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
