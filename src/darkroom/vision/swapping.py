"""A face of one picture put in place of a face in another.

InsightFace's "inswapper" does it where its owner has put its weights: they are for non-commercial
use only, so they come neither with Darkroom nor by themselves. Everywhere else the points of both
faces do: the source is bent until its points lie on the target's, and cloned into it without a
seam [1]_. That keeps the target's shape and the source's features, light and glasses.

.. [1] Pérez, Gangnet, Blake: Poisson Image Editing, SIGGRAPH 2003.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.vision import faces, landmarks
from darkroom.vision.landmarks import FaceMesh
from darkroom.vision.runtime import pick_device

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

INSWAPPER, LANDMARKS = "inswapper", "landmarks"
_WEIGHTS = "inswapper_128.onnx"
_ROOM = 0.15
"""What is cut out around a face, in parts of its width."""
_EDGE = 0.02
"""What is left off at its edge: the outermost points lie on hair and background as often as not."""
_NODES = 256
"""Places along a side for which it is worked out where they come from; linear between them."""

_SOLVED = 768
"""The longer side at which cloning is worked out."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face: its box (x1, y1, x2, y2) in pixels, and what its engine knows of it."""

    box: Floats
    known: Any

    @property
    def width(self) -> float:
        """In pixels."""
        return float(self.box[2] - self.box[0])


class Swapper(Protocol):
    """What finds and swaps faces. Not thread-safe.

    Attributes
    ----------
    engine : its name
    """

    engine: str

    def faces(self, pixels: Pixels) -> list[Face]:
        """The faces in RGB pixels (H, W, 3), from left to right."""
        ...

    def swap(self, source: Pixels, face: Face, target: Pixels, place: Face) -> Pixels:
        """The target with the source's face in a face's place, as pixels of their own."""
        ...


class InsightSwapper:
    """InsightFace's "inswapper", whose weights lie in `models/` of the folder."""

    engine = INSWAPPER

    def __init__(self, folder: Path) -> None:
        from insightface.app import FaceAnalysis
        from insightface.model_zoo import get_model

        self._app = FaceAnalysis(
            name=faces.PACK, root=str(folder), allowed_modules=["detection", "recognition"]
        )
        self._app.prepare(ctx_id=-1 if pick_device() == "cpu" else 0)
        self._network = get_model(str(folder / "models" / _WEIGHTS), download=False)

    def faces(self, pixels: Pixels) -> list[Face]:
        """The faces in RGB pixels (H, W, 3), from left to right."""
        found = self._app.get(_turned(pixels))
        made = [Face(np.asarray(face.bbox, np.float32), face) for face in found]
        return sorted(made, key=lambda face: float(face.box[0] + face.box[2]))

    def swap(self, source: Pixels, face: Face, target: Pixels, place: Face) -> Pixels:
        """The target with the source's face in a face's place."""
        made = self._network.get(_turned(target), place.known, face.known, paste_back=True)
        return _turned(np.asarray(made, np.uint8))


class MeshSwapper:
    """Swaps faces by their points.

    Parameters
    ----------
    weights_dir : where weights lie; those of the points are fetched when they are first needed

    Raises
    ------
    Permanent
        When they cannot be had.
    """

    engine = LANDMARKS

    def __init__(self, weights_dir: Path) -> None:
        self._mesh = FaceMesh(weights_dir)

    def faces(self, pixels: Pixels) -> list[Face]:
        """The faces in RGB pixels (H, W, 3), from left to right."""
        found = self._mesh.faces(pixels)
        return [Face(landmarks.box(face.points), face.points) for face in found]

    def swap(self, source: Pixels, face: Face, target: Pixels, place: Face) -> Pixels:
        """The target with the source's face, bent to the target's points, in a face's place."""
        source, points = _fitting(source, face, place)
        frame = _frame(place.box)
        inside = place.known - frame[:2].astype(np.float32)
        size = int(frame[2] - frame[0]), int(frame[3] - frame[1])
        bent = _bent(source, points, inside, size)
        mask = _mask(inside, size)
        made = _cloned(bent, _cut(target, frame), mask)
        return _pasted(target, made, frame)


def has_inswapper(folder: Path) -> bool:
    """Whether InsightFace is installed and its weights lie in the folder."""
    return (folder / "models" / _WEIGHTS).is_file() and faces.is_here(folder)


def _fitting(source: Pixels, face: Face, place: Face) -> tuple[Pixels, Floats]:
    """The source no larger than its place needs it, and the face's points in it."""
    scale = place.width / max(face.width, 1.0)
    if scale > 0.5:
        return source, face.known
    small = cv2.resize(source, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), face.known * np.float32(scale)


def _frame(box: Floats) -> NDArray[np.int64]:
    """Whole pixels (x1, y1, x2, y2) around a box, which may lie outside of the picture."""
    room = _ROOM * (box[2] - box[0])
    grown = box + np.array([-room, -room, room, room])
    return np.concatenate([np.floor(grown[:2]), np.ceil(grown[2:])]).astype(np.int64)


def _bent(source: Pixels, points: Floats, goals: Floats, size: tuple[int, int]) -> Pixels:
    """The source bent so that its points (N, 2) lie on the goals, in a picture of that size."""
    from matplotlib.tri import LinearTriInterpolator, Triangulation

    width, height = size
    nodes = min(_NODES, width), min(_NODES, height)
    columns, rows = np.meshgrid(
        np.linspace(0, width - 1, nodes[0]), np.linspace(0, height - 1, nodes[1])
    )
    mesh = Triangulation(*goals.T)
    along, down = (
        LinearTriInterpolator(mesh, values)(columns, rows).filled(-1).astype(np.float32)
        for values in points.T
    )
    whole = cv2.resize(along, size), cv2.resize(down, size)
    bent = cv2.remap(source, *whole, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(bent, np.uint8)


def _mask(points: Floats, size: tuple[int, int]) -> Pixels:
    """255 within the points' hull, but for its edge (H, W)."""
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(points).round().astype(np.int32), 255)
    edge = 2 * max(1, round(_EDGE * size[0])) + 1
    return np.asarray(cv2.erode(mask, np.ones((edge, edge), np.uint8)), np.uint8)


def _cloned(part: Pixels, around: Pixels, mask: Pixels) -> Pixels:
    """The part in what is around it, within the mask, without a seam; all of one size.

    What cloning adds to the part is smooth: of a large one it is found in a small copy.
    """
    height, width = mask.shape
    scale = _SOLVED / max(height, width)
    if scale >= 1:
        return _solved(part, around, mask)
    size = round(width * scale), round(height * scale)
    small, ground, within = (
        np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_AREA), np.uint8)
        for each in (part, around, mask)
    )
    inside = np.where(within >= 128, np.uint8(255), np.uint8(0))
    added = _solved(small, ground, inside).astype(np.float32) - small
    # At its edge what is added is not known well: it ends a little earlier.
    share = cv2.blur(cv2.erode(inside, np.ones((5, 5), np.uint8)), (3, 3)).astype(np.float32) / 255
    return _laid(part, around, _sized(added, width, height), _sized(share, width, height))


def _sized(values: NDArray[np.floating[Any]], width: int, height: int) -> Floats:
    return np.asarray(cv2.resize(values, (width, height)), np.float32)


def _laid(part: Pixels, around: Pixels, added: Floats, share: Floats) -> Pixels:
    """The part, corrected, over what is around it, by a share of 0 to 1 (H, W)."""
    made = around + share[..., None] * (part + added - around)
    return np.asarray(made.clip(0, 255).round(), np.uint8)


def _solved(part: Pixels, around: Pixels, mask: Pixels) -> Pixels:
    left, top, width, height = cv2.boundingRect(mask)
    middle = left + width // 2, top + height // 2
    # OpenCV works in the mask that it is given.
    made = cv2.seamlessClone(part, around, mask.copy(), middle, cv2.NORMAL_CLONE)
    return np.asarray(made, np.uint8)


def _cut(pixels: Pixels, frame: NDArray[np.int64]) -> Pixels:
    """What lies in the frame; beyond the picture its edge goes on."""
    height, width = pixels.shape[:2]
    rows = np.arange(frame[1], frame[3]).clip(0, height - 1)
    columns = np.arange(frame[0], frame[2]).clip(0, width - 1)
    return np.ascontiguousarray(pixels[rows[:, None], columns])


def _pasted(pixels: Pixels, part: Pixels, frame: NDArray[np.int64]) -> Pixels:
    made = pixels.copy()
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = frame.clip(0, [width, height, width, height])
    made[y1:y2, x1:x2] = part[y1 - frame[1] : y2 - frame[1], x1 - frame[0] : x2 - frame[0]]
    return made


def _turned(pixels: Pixels) -> Pixels:
    """RGB as BGR, and the other way round."""
    return np.ascontiguousarray(pixels[..., ::-1])
