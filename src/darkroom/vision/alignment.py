"""How the content of one picture lies in another: the homography between them, from SIFT features.

Lowe, "Distinctive Image Features from Scale-Invariant Keypoints" (2004), with his ratio test; wrong
matches are sorted out by MAGSAC++ (Barath et al., 2020).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]
Matrix = NDArray[np.float64]

_SIDE = 1024
_FEATURES = 3000
_RATIO = 0.75
_ERROR = 3.0
"""How far a feature may lie from where the homography puts it, pixels at `_SIDE`."""
_FEWEST = 15
"""Features that must agree: pictures of different things have up to 9 that do so by chance."""
_MOST_STRETCH = 4.0


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where one picture's content lies in another.

    Attributes
    ----------
    matrix : (3, 3) takes pixels of the first to pixels of the second
    found : features of the first picture that the second has where the matrix puts them
    """

    matrix: Matrix
    found: int


def align(first: Pixels, second: Pixels) -> Alignment | None:
    """Where the content of `first` lies in `second`, both RGB; None where it cannot be found."""
    here, there = _described(first), _described(second)
    pairs = _matches(here, there)
    if len(pairs) < _FEWEST:
        return None
    source, target = here.points[[a for a, _ in pairs]], there.points[[b for _, b in pairs]]
    found, inliers = cv2.findHomography(source, target, cv2.USAC_MAGSAC, _ERROR)
    if found is None or inliers.sum() < _FEWEST:
        return None
    matrix = np.asarray(found, np.float64)
    if not _is_plausible(matrix, here.frame):
        return None
    whole = np.linalg.inv(there.scaling) @ matrix @ here.scaling
    return Alignment(whole, int(inliers.sum()))


def features(pixels: Pixels) -> int:
    """How many features RGB pixels have that could be found again elsewhere."""
    return len(_described(pixels).points)


@dataclass(frozen=True, eq=False)
class _Described:
    """A picture's features.

    Attributes
    ----------
    points : (N, 2) where they are, in the picture made small
    descriptors : (N, 128) what they look like
    scaling : (3, 3) takes the picture's pixels to those of the small one
    frame : (4, 2) the small picture's corners
    """

    points: Points
    descriptors: Points
    scaling: Matrix
    frame: Points


def _described(pixels: Pixels) -> _Described:
    height, width = pixels.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    found, described = cv2.SIFT.create(nfeatures=_FEATURES).detectAndCompute(grey, None)
    return _Described(
        np.array([each.pt for each in found], np.float32).reshape(-1, 2),
        np.zeros((0, 128), np.float32) if described is None else np.asarray(described, np.float32),
        np.diag([size[0] / width, size[1] / height, 1.0]),
        np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32),
    )


def _matches(here: _Described, there: _Described) -> list[tuple[int, int]]:
    """Features that are much more alike than the next best, each used once."""
    found: dict[int, tuple[float, int]] = {}
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    for pair in matcher.knnMatch(here.descriptors, there.descriptors, k=2):
        if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance:
            best, held = pair[0], found.get(pair[0].trainIdx)
            if held is None or best.distance < held[0]:
                found[best.trainIdx] = best.distance, best.queryIdx
    return [(query, train) for train, (_, query) in found.items()]


def _is_plausible(matrix: Matrix, frame: Points) -> bool:
    """Whether the frame stays a convex quadrangle, not mirrored and not torn out of proportion."""
    corners = _moved(frame, matrix)
    if not cv2.isContourConvex(corners) or np.linalg.det(matrix[:2, :2]) <= 0:
        return False
    stretch = _sides(corners) / _sides(frame)
    return bool(stretch.max() < _MOST_STRETCH * stretch.min())


def _moved(points: Points, matrix: Matrix) -> Points:
    return np.asarray(cv2.perspectiveTransform(points[None], matrix)[0], np.float32)


def _sides(corners: Points) -> Points:
    edges = np.roll(corners, -1, axis=0) - corners
    return np.asarray(np.linalg.norm(edges, axis=1), np.float32)
