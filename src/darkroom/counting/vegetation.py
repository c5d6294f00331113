"""What in a container is leaf and what is floor.

A pixel is vegetation if it lies in the product's HSV range *and* its excess colour (how much more
of the product's hue it has than of the others, whatever the light) is above a threshold. The
threshold is Otsu's over the pixels of the container. But Otsu always splits, also an empty box of
moss and a box that is all leaf: so it is held between bounds that known plants give, the
`Reference`: those that the photo's own detections show, or else the product's stored one.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from darkroom.counting.geometry import Bools, Bytes, Floats, ellipses
from darkroom.counting.view import reduced

CORE = 0.7
"""The share of an ellipse's radii that is plant, not the ground beside it."""
BLUR = 0.08
"""Side of the smoothing window over the side of a plant: takes out grain, keeps leaves."""
FEWEST = 3
"""Detections from which on a photo's own colours say more than the product's stored ones."""


@dataclass(frozen=True)
class ColourRange:
    """An HSV range, OpenCV scale (hue 0-179, saturation and value 0-255), both ends inclusive.

    A lower hue above the upper one means a range through red (170 to 10, say).
    """

    lower: tuple[int, int, int] = (35, 40, 40)
    upper: tuple[int, int, int] = (85, 255, 255)

    @property
    def span(self) -> int:
        """The width of the hue range."""
        return (self.upper[0] - self.lower[0]) % 180

    @property
    def middle(self) -> float:
        """The hue in the middle of the range."""
        return (self.lower[0] + self.span / 2) % 180


@dataclass(frozen=True)
class Reference:
    """The bounds of a threshold: excess colours (0-255) that one and three of ten pixels of known
    plants lie below."""

    floor: float
    ceiling: float


@dataclass(frozen=True)
class Vegetation:
    """The vegetation of a container: mask, and what decided it.

    `gated` is the excess colour (0-255) where the HSV range holds, and 0 elsewhere; `mask` is where
    it is above `threshold`.
    """

    mask: Bools
    gated: Bytes
    threshold: float
    reference: Reference


GREEN = ColourRange()
UNKNOWN = Reference(floor=70, ceiling=110)
"""Between moss and leaf, where neither photo nor product knows better."""


def find(
    image: Bytes,
    mask: Bytes,
    boxes: Floats,
    side: float,
    colours: ColourRange = GREEN,
    stored: Reference | None = None,
) -> Vegetation:
    """Find the vegetation in a container.

    Parameters
    ----------
    image, mask
        RGB crop (H, W, 3) and the container's pixels in it (H, W), 0 outside.
    boxes
        Detected plants (N, 4), x1, y1, x2, y2 in crop pixels.
    side
        The side of a typical plant in pixels.
    stored
        The product's reference, for containers with too few detections to make one.
    """
    gated = _gated_excess(_smoothed(image, side), mask, colours)
    reference = stored or UNKNOWN
    if len(boxes) >= FEWEST or (len(boxes) and stored is None):
        reference = _reference(gated, boxes) or reference
    threshold = float(np.clip(_otsu(gated, mask), reference.floor, reference.ceiling))
    return Vegetation(gated > threshold, gated, threshold, reference)


def reference_of(image: Bytes, boxes: Floats, colours: ColourRange = GREEN) -> Reference | None:
    """What known plants (N, 4) in an RGB photo say about their product; None if they say nothing.

    This is what is worth storing with a product.
    """
    if not len(boxes):
        return None
    side = float(np.median(np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))))
    small, factors = reduced(image, side)
    everywhere = np.full(small.shape[:2], 255, np.uint8)
    smooth = _smoothed(small, side * float(factors.mean()))
    return _reference(_gated_excess(smooth, everywhere, colours), boxes * factors)


def threshold_spread(seen: Vegetation, free: Bools) -> float:
    """By how much (relative) the leftover vegetation over that of the known plants would change
    between the bounds of the threshold.

    `free` (H, W) is where no known plant is.
    """
    leftover = _above(seen.gated[free])
    known = _above(seen.gated[~free])
    low, at, high = (
        leftover[level] / max(known[level], 1)
        for level in (int(seen.reference.floor), int(seen.threshold), int(seen.reference.ceiling))
    )
    return float(abs(low - high) / (2 * at)) if at else 0.0


def gate(image: Bytes, colours: ColourRange) -> Bytes:
    """The pixels (0/255) of an RGB image that lie in an HSV range."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    low, high = colours.lower, colours.upper
    if low[0] <= high[0]:
        return np.asarray(cv2.inRange(hsv, low, high), np.uint8)
    above = cv2.inRange(hsv, low, (179, high[1], high[2]))
    below = cv2.inRange(hsv, (0, low[1], low[2]), high)
    return np.asarray(cv2.bitwise_or(above, below), np.uint8)


def excess(image: Bytes, colours: ColourRange) -> Bytes:
    """How much of the product's hue an RGB image has, 0-255, free of its brightness.

    For green it is the excess green 2g - r - b of Woebbecke et al. (1995) over the chromatic
    coordinates r + g + b = 1, of which 0 to 1 becomes 0 to 255; for other hues it is the same
    direction turned on the colour circle. A range wider than half the circle has no direction:
    lightness (L of CIE LAB) takes its place.
    """
    if colours.span > 90:
        return np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 0], np.uint8)
    angle = np.radians(2 * colours.middle)
    red, across = np.array([2, -1, -1]), np.sqrt(3) * np.array([0, 1, -1])
    chroma = cv2.transform(image, (np.cos(angle) * red + np.sin(angle) * across)[None, :])
    mean = cv2.transform(image, np.full((1, 3), 1 / 3))
    return np.asarray(cv2.divide(chroma, mean, scale=85), np.uint8)


def _smoothed(image: Bytes, side: float) -> Bytes:
    window = round(BLUR * side) // 2 * 2 + 1
    return np.asarray(cv2.blur(image, (window, window)), np.uint8) if window > 1 else image


def _gated_excess(image: Bytes, mask: Bytes, colours: ColourRange) -> Bytes:
    inside = cv2.bitwise_and(gate(image, colours), mask)
    return np.asarray(cv2.bitwise_and(excess(image, colours), inside), np.uint8)


def _otsu(gated: Bytes, mask: Bytes) -> float:
    inside = gated[mask > 0]
    return float(cv2.threshold(inside[:, None], 0, 255, cv2.THRESH_OTSU)[0]) if len(inside) else 0


def _above(values: Bytes) -> Floats:
    counts = np.bincount(values, minlength=256)
    return np.asarray(counts.sum() - np.cumsum(counts), float)


def _reference(gated: Bytes, boxes: Floats) -> Reference | None:
    cores = np.zeros(gated.shape, np.bool_)
    for window, inside in ellipses(boxes, CORE, gated.shape):
        cores[window] |= inside
    plant = gated[cores & (gated > 0)]
    if not len(plant):
        return None
    floor, ceiling = np.quantile(plant, (0.1, 0.3))
    return Reference(float(floor), float(ceiling))
