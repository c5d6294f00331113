"""Do two photos show the same plants, and how much of them?

Features of both (SIFT, compared as RootSIFT: Arandjelović and Zisserman 2012) are matched; a match
that is hardly better than its runner-up says nothing (Lowe's ratio test), which takes out most of
what repeats: rims, holes, leaves of a species. RANSAC looks for the homography that carries most of
the others. Trays of one make may still agree in their frames, and two photos in a single plant that
looks like another. So what the homography lays over one another must look alike as well, patch by
patch, over most of what both would show.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np

from darkroom.counting.geometry import Bools, Bytes, Floats, Integers

SIDE = 1000
"""Longer side in pixels that photos should be reduced to before they are compared."""
FEATURES = 1500
CONTRAST = 0.02
"""SIFT's threshold, half of its default: soil and moss tell places apart, too."""
RATIO = 0.8
REACH = 6.0
"""Pixels that a carried match may be off: plants stand above the bench, and leaves move."""
FEWEST = 20
"""Matches that a homography has to carry."""
LEAST_SPREAD = 0.03
"""Of what both show, the share that lies between carried matches."""
LEAST_SHARE = 0.04
MOST_ZOOM = 4.0
MOST_TILT = 3.0
PATCH = 12
ALIKE = 0.4
"""Correlation from which on two patches look alike."""
LEAST_ALIKE = 0.35
"""Share of patches that look alike. Measured on generated benches: 0.45 and more though every plant
had moved by up to a hundredth of the photo; under 0.25 in trays of one make with other plants."""
LEAST_BORNE_OUT = 17.0
"""Carried matches times the share of patches alike: few matches need a good likeness. One plant
that is the image of another carries 30, but what stands around it is half as like."""
MOST_PAIRS = 2500


@dataclass(frozen=True)
class Features:
    """What of a photo is compared.

    Attributes
    ----------
    points : (N, 2) in the pixels of the photo that was given
    descriptors : (N, 128) SIFT
    grey : (H, W) the photo at half its size
    """

    points: Floats
    descriptors: Bytes
    grey: Bytes

    @property
    def frame(self) -> Floats:
        """The corners (4, 2) of the photo that was given."""
        height, width = self.grey.shape
        return 2.0 * np.array([[0, 0], [width, 0], [width, height], [0, height]])


@dataclass(frozen=True)
class Overlap:
    """The shares (0 to 1) of one photo and of the other that both of them show."""

    share: float
    other_share: float


def pairs(photos: int, most: int = MOST_PAIRS) -> Iterator[tuple[int, int]]:
    """Which of so many photos to compare, at most `most` pairs: those taken near in turn first."""
    every = (
        (first, first + apart) for apart in range(1, photos) for first in range(photos - apart)
    )
    return islice(every, most)


def features(photo: Bytes) -> Features:
    """The features of a photo (H, W, 3, RGB) that was reduced to `SIDE`."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    sift = cv2.SIFT.create(nfeatures=FEATURES, contrastThreshold=CONTRAST)
    found, descriptors = sift.detectAndCompute(grey, None)
    height, width = grey.shape
    half = cv2.resize(grey, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    return Features(
        points=np.array([point.pt for point in found], float).reshape(-1, 2),
        descriptors=descriptors.astype(np.uint8) if found else np.empty((0, 128), np.uint8),
        grey=np.asarray(half, np.uint8),
    )


def overlap(one: Features, other: Features) -> Overlap | None:
    """How much of each photo the other shows, too; None where nothing says so."""
    first, second = _matches(one, other)
    if len(first) < FEWEST:
        return None
    start, end = other.points[second], one.points[first]
    found, carried = cv2.findHomography(
        start, end, cv2.RANSAC, REACH, maxIters=3000, confidence=0.999
    )
    if np.shape(found) != (3, 3):
        return None
    warp = np.asarray(found, float)
    if not _is_sound(warp, other.frame):
        return None
    both = _common(one.frame, _moved(other.frame, warp))
    held = end[np.asarray(carried, bool).ravel()]
    if not _holds(both, held, one.frame) or not _is_borne_out(one, other, warp, len(held)):
        return None
    back = _moved(both, np.linalg.inv(warp))
    return Overlap(_area(both) / _area(one.frame), _area(back) / _area(other.frame))


def _matches(one: Features, other: Features) -> tuple[Integers, Integers]:
    """Places in either's features of those that are each other's best and clearly so."""
    if min(len(one.points), len(other.points)) < FEWEST:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    likeness = _rooted(one.descriptors) @ _rooted(other.descriptors).T
    rows, best = np.arange(len(likeness)), likeness.argmax(axis=1)
    mutual = likeness.argmax(axis=0)[best] == rows
    nearest = _distance(likeness[rows, best])
    likeness[rows, best] = -1
    runner_up = _distance(likeness.max(axis=1))
    first = np.flatnonzero(mutual & (nearest < RATIO * runner_up))
    return first, best[first]


def _distance(likeness: Floats) -> Floats:
    """Between unit vectors, from their product."""
    return np.asarray(np.sqrt((2 - 2 * likeness).clip(0)))


def _rooted(descriptors: Bytes) -> Floats:
    """Unit vectors whose product compares histograms as Hellinger's kernel does."""
    counts = descriptors.astype(np.float32)
    return np.asarray(np.sqrt(counts / counts.sum(axis=1, keepdims=True).clip(1)))


def _is_sound(warp: Floats, frame: Floats) -> bool:
    """Whether a camera may have moved so: no mirror, no fold, no wild zoom or tilt."""
    depths = np.column_stack([frame, np.ones(4)]) @ warp[2]
    if depths.min() <= 0 or depths.max() > MOST_TILT * depths.min():
        return False
    zoom = _turning_area(_moved(frame, warp)) / _turning_area(frame)
    return bool(MOST_ZOOM**-2 <= zoom <= MOST_ZOOM**2)


def _holds(both: Floats, held: Floats, frame: Floats) -> bool:
    """Whether enough matches were carried, and not all in one corner of what both show."""
    if len(held) < FEWEST or _area(both) < LEAST_SHARE * _area(frame):
        return False
    hull = np.asarray(cv2.convexHull(held.astype(np.float32)), float)
    return _area(hull) >= LEAST_SPREAD * _area(both)


def _is_borne_out(one: Features, other: Features, warp: Floats, carried: int) -> bool:
    alike = _alike(one, other, warp)
    return alike >= LEAST_ALIKE and carried * alike >= LEAST_BORNE_OUT


def _alike(one: Features, other: Features, warp: Floats) -> float:
    """The share of patches with a pattern that look alike, of those that both photos show."""
    there, shown = _laid(one, other, warp)
    likeness, patterned = _correlation(_smooth(one.grey), _smooth(there))
    whole = cv2.boxFilter(shown, cv2.CV_32F, (PATCH, PATCH)) > 254
    seen = likeness[whole & patterned & _every_other(one.grey.shape)]
    return float((seen > ALIKE).mean()) if len(seen) else 0.0


def _laid(one: Features, other: Features, warp: Floats) -> tuple[Bytes, Bytes]:
    """The other's grey as `one` would show it, and where (255) it reaches."""
    double = np.diag([2.0, 2.0, 1.0])
    halves = np.linalg.inv(double) @ warp @ double
    size = one.grey.shape[::-1]
    there = cv2.warpPerspective(other.grey, halves, size)
    shown = cv2.warpPerspective(np.full_like(other.grey, 255), halves, size)
    return np.asarray(there, np.uint8), np.asarray(shown, np.uint8)


def _smooth(grey: Bytes) -> Floats:
    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 0.75))


def _correlation(one: Floats, other: Floats) -> tuple[Floats, Bools]:
    """The correlation of the patches around each pixel, and where both have a pattern."""

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.boxFilter(values, cv2.CV_32F, (PATCH, PATCH)))

    middle, other_middle = mean(one), mean(other)
    spread = mean(one * one) - middle**2
    other_spread = mean(other * other) - other_middle**2
    together = mean(one * other) - middle * other_middle
    likeness = together / np.sqrt((spread * other_spread).clip(1e-6))
    return likeness, np.asarray((spread > 9) & (other_spread > 9))


def _every_other(shape: tuple[int, ...]) -> Bools:
    """The middles of patches that overlap by half."""
    chosen = np.zeros(shape, np.bool_)
    chosen[PATCH // 2 :: PATCH // 2, PATCH // 2 :: PATCH // 2] = True
    return chosen


def _moved(points: Floats, warp: Floats) -> Floats:
    return np.asarray(cv2.perspectiveTransform(points[None], warp)[0], float)


def _common(one: Floats, other: Floats) -> Floats:
    """What two convex polygons share: a polygon (P, 2), P 0 where they share nothing."""
    _, shared = cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))
    return np.empty((0, 2)) if shared is None else np.asarray(shared, float).reshape(-1, 2)


def _area(polygon: Floats) -> float:
    return abs(_turning_area(polygon)) if len(polygon) else 0.0


def _turning_area(polygon: Floats) -> float:
    """The area of a polygon, negative if it turns the other way."""
    return float(cv2.contourArea(polygon.astype(np.float32), oriented=True))
