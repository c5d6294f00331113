"""Whether a photo supports a number at all, and if not, why not.

A blurred, dark or burnt-out photo, or one taken from too far away or too near, is counted like any
other, and the count looks like any other. So the photo is measured itself, inside its containers
and at the size at which its plants are worked on. Where a measure is out of bounds a person has to
look before anything goes to stock.

The bounds were measured on generated photos and a real tray that were blurred, darkened, burnt out
and scaled step by step: they lie where counts begin to fall, and beyond every photo as it was.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import cv2
import numpy as np

from darkroom.counting import view
from darkroom.counting.geometry import Bools, Bytes, Floats
from darkroom.counting.photo import CountedContainer
from darkroom.counting.view import WORKING_SIDE

SHARPEST_GRAIN = 0.8
"""Standard deviation in pixels of the smoothing that keeps grain from passing for sharpness."""
LARGEST = 1600.0
"""Longer side in pixels to which a photo without plants is reduced."""
STRIDE = 4
"""Light is measured on every fourth pixel of every fourth row."""
BURNT = 254
LEAST_SHARPNESS = 4.0
LEAST_LIGHT = 27.0
MOST_BURNT = 30.0
LEAST_SIZE = 8.0
MOST_SIZE = 70.0


@dataclass(frozen=True)
class Reason:
    """Why a person has to look: a code, and a sentence with {places} and what fills them."""

    code: str
    text: str
    values: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


@dataclass(frozen=True)
class Measures:
    """What was measured of a photo.

    Attributes
    ----------
    sharpness
        Spread of the Laplacian over that of the brightness, in percent.
    light
        Brightness (largest channel) that one in ten pixels exceeds, in percent of full.
    burnt
        Share of the pixels with a channel at its end, in percent.
    size
        Side in pixels at which the detector saw a typical plant; None without plants.
    share
        That side over the photo's shorter side, in percent; None without plants.
    """

    sharpness: float
    light: float
    burnt: float
    size: float | None
    share: float | None


def reasons(photo: Bytes, counted: Sequence[CountedContainer], slice_size: int) -> list[Reason]:
    """Why the photo (H, W, 3, RGB) does not support its count; none where it does.

    Containers have reasons of their own. `slice_size` is the side in pixels of the detector's
    slices.
    """
    found = out_of_bounds(measure(photo, counted, slice_size))
    if not any(part.is_segmented or len(part.plants) for part in counted):
        found.append(Reason("nothing", NOTHING, {}))
    return found


NOTHING = "Neither a container nor a plant was found on this photo."
BLURRED = "The photo is blurred: its sharpness is {measured} percent, at least {bound} is needed."
DARK = (
    "The photo is too dark: its bright parts reach {measured} percent of full light, not {bound}."
)
OVEREXPOSED = (
    "The photo is overexposed: {measured} percent of it is burnt out, at most {bound} may be."
)
SMALL = "The plants are too small: about {measured} pixels wide, at least {bound} are needed."
LARGE = (
    "The plants are too large: one takes {measured} percent of the photo, at most {bound} may be."
)


def out_of_bounds(found: Measures) -> list[Reason]:
    """What is wrong with a photo of such measures."""
    checks = (
        ("blurred", BLURRED, found.sharpness, LEAST_SHARPNESS, False),
        ("dark", DARK, found.light, LEAST_LIGHT, False),
        ("overexposed", OVEREXPOSED, found.burnt, MOST_BURNT, True),
        ("small", SMALL, found.size, LEAST_SIZE, False),
        ("large", LARGE, found.share, MOST_SIZE, True),
    )
    return [
        Reason(code, text, {"measured": _short(value), "bound": _short(bound)})
        for code, text, value, bound, is_most in checks
        if value is not None and (value > bound if is_most else value < bound)
    ]


def _short(value: float) -> float:
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded


def measure(photo: Bytes, counted: Sequence[CountedContainer], slice_size: int) -> Measures:
    """Measure a photo where its containers are."""
    sides = [np.sqrt((b[:, 2:] - b[:, :2]).prod(axis=1)) for b in _boxes(counted)]
    side = float(np.median(np.concatenate(sides))) if any(map(len, sides)) else None
    brightest = photo[::STRIDE, ::STRIDE].max(axis=2)
    lit = brightest[_inside(brightest.shape, counted, 1 / STRIDE)]
    shorter = min(photo.shape[:2])
    return Measures(
        sharpness=_sharpness(photo, counted, side),
        light=float(np.quantile(lit, 0.9)) / 2.55 if len(lit) else 0.0,
        burnt=float((lit >= BURNT).mean() * 100) if len(lit) else 0.0,
        # A photo smaller than a slice is enlarged to one.
        size=side * max(1.0, slice_size / max(photo.shape[:2])) if side else None,
        share=100 * side / shorter if side else None,
    )


def _boxes(counted: Sequence[CountedContainer]) -> list[Floats]:
    return [part.plants.boxes for part in counted]


def _sharpness(photo: Bytes, counted: Sequence[CountedContainer], side: float | None) -> float:
    height, width = photo.shape[:2]
    room = sqrt(view.LARGEST / (width * height))
    scale = min(1.0, room, WORKING_SIDE / side if side else LARGEST / max(width, height))
    size = [max(1, round(length * scale)) for length in (width, height)]
    small = cv2.resize(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small.astype(np.float32), (0, 0), SHARPEST_GRAIN)
    inside = _inside(smooth.shape, counted, scale)
    if not inside.any():
        return 0.0
    edges = np.asarray(cv2.Laplacian(smooth, cv2.CV_32F))[inside].std()
    return float(100 * edges / max(float(small[inside].std()), 1.0))


def _inside(shape: tuple[int, ...], counted: Sequence[CountedContainer], scale: float) -> Bools:
    """Which pixels (H, W) of the photo at a scale lie in a container."""
    mask = np.zeros(shape[:2], np.uint8)
    for part in counted:
        cv2.fillPoly(mask, [np.round(part.container.polygon * scale).astype(np.int32)], (255,))
    return np.asarray(mask > 0)
