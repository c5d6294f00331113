"""Faces in pictures, and 468 points of each, by MediaPipe's networks on OpenVINO.

A detector says where faces are, one for those close by and one for those farther off. Each is then
cut out upright and given to the network of the points, twice: the second time as the first points
say, which see the face better than the detector does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.vision import mediapipe, merge

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

POINTS = 468
_SIDE = 192
"""Pixels of the square that the network of the points sees."""
_MARGIN = 1.5
"""How much larger than the face that square is."""
_PRESENT = 0.5
_SAME = 0.3
"""Boxes that share so much are of one face."""
_RIGHT_EYE, _LEFT_EYE = 33, 263
_PARTS, _APART = 2, 0.5
"""A picture in which nothing is found is searched in squares of half its side, half a square
apart."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face: its points (468, 2) in pixels of the picture, and how sure it is one (0 to 1)."""

    points: Floats
    score: float


@dataclass(frozen=True)
class _Detector:
    """A network that finds faces: its file, the side it sees, its anchors, how sure it must be."""

    file: str
    side: int
    strides: tuple[tuple[int, int], ...]
    """(pixels between anchors, anchors at each place)"""
    least: float


_MOVING = [0, 2, 3, 4, 5, 6, 7]
"""Rows of what a detector tells that are places; row 1 is a size."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """Faces as detectors see them: (N, 8, 2) centre, size, eyes, nose, mouth, ears; scores (N,)."""

    places: Floats
    scores: Floats

    def moved(self, corner: tuple[int, int]) -> "_Seen":
        """The same in the picture of which this one is a part that begins at the corner."""
        places = self.places.copy()
        places[:, _MOVING] += np.array(corner, np.float32)
        return _Seen(places, self.scores)


_DETECTORS = (
    _Detector(mediapipe.NEAR, 128, ((8, 2), (16, 6)), 0.6),
    _Detector(mediapipe.FAR, 192, ((4, 1),), 0.6),
)


class FaceMesh:
    """Finds faces and their points. Not thread-safe.

    Parameters
    ----------
    weights_dir : where weights lie; MediaPipe's are fetched when they are first needed

    Raises
    ------
    Permanent
        When they cannot be had.
    """

    def __init__(self, weights_dir: Path) -> None:
        import openvino

        if not mediapipe.is_here(weights_dir):
            mediapipe.fetch(weights_dir)
        core, home = openvino.Core(), mediapipe.folder(weights_dir)
        self._detectors = [
            (each, _anchors(each), core.compile_model(home / each.file, "CPU"))
            for each in _DETECTORS
        ]
        self._mesh = core.compile_model(home / mediapipe.MESH, "CPU")

    def faces(self, pixels: Pixels) -> list[Face]:
        """The faces in RGB pixels (H, W, 3), from left to right."""
        seen = self._looked(pixels)
        if not seen.scores.size:
            seen = _joined([self._looked(part).moved(corner) for corner, part in _parts(pixels)])
        kept = _apart(list(self._pointed_out(pixels, seen)))
        return sorted(kept, key=lambda face: float(face.points[:, 0].mean()))

    def _looked(self, pixels: Pixels) -> _Seen:
        return _joined([self._detected(pixels, *each) for each in self._detectors])

    def _detected(
        self, pixels: Pixels, detector: _Detector, anchors: Floats, network: Any
    ) -> _Seen:
        square, scale = _squared(pixels, detector.side)
        told = network(square[None] / np.float32(127.5) - 1)
        scores = _sigmoid(_shaped(told, 1)[:, 0])
        sure = scores >= detector.least
        places = _shaped(told, 16)[sure].reshape(-1, 8, 2) / detector.side
        places[:, _MOVING] += anchors[sure][:, None]
        return _Seen(np.asarray(places * detector.side / scale, np.float32), scores[sure])

    def _pointed_out(self, pixels: Pixels, seen: _Seen) -> Iterator[Face]:
        for centre, size, right, left in seen.places[:, :4]:
            face = self._pointed(pixels, centre, size.max() * _MARGIN, left - right)
            if face.score >= _PRESENT:
                yield self._pointed(pixels, *_around(face.points))

    def _pointed(self, pixels: Pixels, centre: Floats, side: float, level: Floats) -> Face:
        """The points of a face in a square whose upper edge runs as `level` says."""
        place = _placed(centre, side, level)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        square = cv2.warpAffine(pixels, place, (_SIDE, _SIDE), flags=flags)
        told = self._mesh(square[None].astype(np.float32) / 255)
        points = _shaped(told, 3 * POINTS).reshape(POINTS, 3)[:, :2]
        score = _sigmoid(_shaped(told, 1))[0, 0]
        return Face(np.asarray(points @ place[:, :2].T + place[:, 2], np.float32), float(score))


def box(points: Floats) -> Floats:
    """The box (x1, y1, x2, y2) around points (N, 2)."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _around(points: Floats) -> tuple[Floats, float, Floats]:
    """Centre, side and level of the square that a face's points would best be found in."""
    level = points[_LEFT_EYE] - points[_RIGHT_EYE]
    turn = _turn(level)
    x1, y1, x2, y2 = box(points @ turn)
    centre = turn @ np.array([(x1 + x2) / 2, (y1 + y2) / 2], np.float32)
    return centre, _MARGIN * float(max(x2 - x1, y2 - y1)), level


def _placed(centre: Floats, side: float, level: Floats) -> Floats:
    """The matrix (2, 3) from pixels of the network's square to those of the picture."""
    turn = _turn(level) * (side / _SIDE)
    return np.column_stack([turn, centre - turn @ np.full(2, _SIDE / 2)]).astype(np.float32)


def _turn(level: Floats) -> Floats:
    across, down = level / max(float(np.hypot(*level)), 1e-6)
    return np.array([[across, -down], [down, across]], np.float32)


def _anchors(detector: _Detector) -> Floats:
    """Where a network's boxes are counted from (N, 2), of 0 to 1."""
    found = []
    for stride, count in detector.strides:
        places = (np.arange(detector.side // stride, dtype=np.float32) + 0.5) * stride
        rows, columns = np.meshgrid(places, places, indexing="ij")
        grid = np.stack([columns, rows], axis=-1).reshape(-1, 2) / detector.side
        found.append(np.repeat(grid, count, axis=0))
    return np.concatenate(found)


def _squared(pixels: Pixels, side: int) -> tuple[Floats, float]:
    """The picture in the upper left of a square, and how much smaller it is."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    square = np.zeros((side, side, 3), np.float32)
    square[: size[1], : size[0]] = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return square, scale


def _parts(pixels: Pixels) -> list[tuple[tuple[int, int], Pixels]]:
    """Overlapping squares of a picture with their upper left corners (x, y)."""
    height, width = pixels.shape[:2]
    side = max(1, max(height, width) // _PARTS)
    step = max(1, int(side * _APART))
    return [
        ((x, y), pixels[y : y + side, x : x + side])
        for y in range(0, max(1, height - side + step), step)
        for x in range(0, max(1, width - side + step), step)
    ]


def _joined(seen: Sequence[_Seen]) -> _Seen:
    """What several looks saw, each face once."""
    places = np.concatenate([each.places for each in seen])
    scores = np.concatenate([each.scores for each in seen])
    half = places[:, 1] / 2
    boxes = np.concatenate([places[:, 0] - half, places[:, 0] + half], axis=1)
    kept = merge.nms(boxes, scores, threshold=_SAME)
    return _Seen(places[kept], scores[kept])


def _apart(found: Sequence[Face]) -> list[Face]:
    """Each face once, as it was seen best."""
    if not found:
        return []
    boxes = np.stack([box(face.points) for face in found])
    scores = np.array([face.score for face in found], np.float32)
    return [found[index] for index in merge.nms(boxes, scores, threshold=_SAME)]


def _shaped(told: Any, width: int) -> Floats:
    """The network's output whose rows are so wide (N, width)."""
    values = [np.asarray(value) for value in told.values()]
    return next(value for value in values if value.shape[-1] == width).reshape(-1, width)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-values.clip(-80, 80))), np.float32)
