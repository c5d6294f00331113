"""Containers in a photo: plug trays, boxes and segments as polygons that never overlap."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Permanent
from darkroom.vision import merge
from darkroom.vision.network import load
from darkroom.vision.slice import GREY

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

KINDS = ("plug", "box", "segment")
_ALIASES = {"caja": "box", "cajon": "box", "segmento": "segment"}
_COEFFICIENTS = 32
_SAME = 0.5
"""Two masks are one container when they share this much of the smaller one."""
_SLACK = 0.06
"""How far a mask may reach beyond its box, as a share of the box: boxes are often a bit small."""
_SMALLEST = 0.002
"""A container smaller than this share of the frame is noise."""


@dataclass(frozen=True)
class Container:
    """One container.

    Attributes
    ----------
    kind : "plug", "box" or "segment"
    confidence : 0 to 1
    polygon : (P, 2) outer contour, pixels of the photo
    box : (4,) x1, y1, x2, y2 of the polygon
    """

    kind: str
    confidence: float
    polygon: Floats
    box: Floats


@dataclass(frozen=True)
class _Fit:
    """How the photo lies in the network's square: scaled, centred, grey around it."""

    scale: float
    left: int
    top: int
    width: int
    height: int


class ContainerSegmenter:
    """Container segmentation with one weight file. Not thread-safe: one per thread.

    Parameters
    ----------
    weights : a YOLO segmentation checkpoint whose classes are plug, box, segment
    cache_dir : where exports are kept
    device : "cpu", "cuda" or None for the best there is
    """

    def __init__(self, weights: Path, *, cache_dir: Path, device: str | None = None) -> None:
        self._network = load(weights, cache_dir, device)
        facts = self._network.facts
        if facts.task != "segment":
            raise Permanent(f"{weights.name} does not hold a container segmenter.")
        self._kinds = [_ALIASES.get(name.lower(), name.lower()) for name in facts.names]
        if not set(self._kinds) <= set(KINDS):
            raise Permanent(f"The classes of {weights.name} are not plug, box and segment.")

    @property
    def size_bytes(self) -> int:
        """What the network takes of its device's memory."""
        return self._network.size_bytes

    def segment(
        self, image: Image, *, confidence: float = 0.30, iou: float = 0.50
    ) -> list[Container]:
        """Find the containers of an RGB image (H, W, 3), best first.

        Parameters
        ----------
        confidence : containers below this score are dropped
        iou : of two boxes with a larger intersection over union only the better is kept

        What two containers both claim belongs to the better one, so that no plant lies in two.
        """
        side = self._network.facts.side
        square, fit = _letterbox(image, side)
        outputs = self._network.run(square[None])
        rows, protos = (output[0] for output in outputs[:2])
        boxes, scores, classes, parts = _candidates(rows, confidence, iou)
        masks = _masks(boxes, parts, protos, side)
        return [
            Container(self._kinds[classes[place]], float(scores[place]), polygon, _bounds(polygon))
            for place, mask in _disjoint(masks)
            if (polygon := _polygon(mask, fit, image.shape[:2])) is not None
        ]


def _letterbox(image: Image, side: int) -> tuple[Image, _Fit]:
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    fit = _Fit(scale, (side - size[0]) // 2, (side - size[1]) // 2, *size)
    square = np.full((side, side, 3), GREY, np.uint8)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square[fit.top : fit.top + size[1], fit.left : fit.left + size[0]] = cv2.resize(
        image, size, interpolation=how
    )
    return square, fit


def _candidates(
    rows: Floats, confidence: float, iou: float
) -> tuple[Floats, Floats, NDArray[np.int64], Floats]:
    """Boxes (N, 4) in network pixels, scores, classes and mask coefficients, best first."""
    by_class = rows[4:-_COEFFICIENTS]
    keep = by_class.max(axis=0) >= confidence
    x, y, width, height = rows[:4, keep]
    boxes = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    scores, classes = by_class[:, keep].max(axis=0), by_class[:, keep].argmax(axis=0)
    best = merge.nms(boxes, scores, "IOU", iou)
    return boxes[best], scores[best], classes[best], rows[-_COEFFICIENTS:, keep].T[best]


def _masks(boxes: Floats, parts: Floats, protos: Floats, side: int) -> list[Mask]:
    """Each candidate's mask (side, side): its mix of the prototypes, about its box."""
    count, height, width = protos.shape
    logits = (parts @ protos.reshape(count, -1)).reshape(-1, height, width)
    masks = []
    for box, logit in zip(boxes, logits, strict=True):
        slack = _SLACK * (box[2:] - box[:2])
        x1, y1 = np.floor(box[:2] - slack).clip(0).astype(int)
        x2, y2 = np.ceil(box[2:] + slack).clip(0).astype(int)
        inside = np.zeros((side, side), bool)
        inside[y1:y2, x1:x2] = True
        full = cv2.resize(logit, (side, side), interpolation=cv2.INTER_LINEAR)
        masks.append((full > 0) & inside)
    return masks


def _disjoint(masks: list[Mask]) -> list[tuple[int, Mask]]:
    """Masks, best first, that claim nothing twice; repeats of a container are left out."""
    kept: list[tuple[int, Mask]] = []
    for place, mask in enumerate(masks):
        if any(_is_same(mask, other) for _, other in kept):
            continue
        for _, other in kept:
            mask = mask & ~other
        kept.append((place, mask))
    return kept


def _is_same(mask: Mask, other: Mask) -> bool:
    smaller = max(1, min(int(mask.sum()), int(other.sum())))
    return bool((mask & other).sum() >= _SAME * smaller)


def _polygon(mask: Mask, fit: _Fit, shape: tuple[int, ...]) -> Floats | None:
    """The mask's largest outer contour in photo pixels, simplified; None where it is noise."""
    height, width = shape[:2]
    view = mask[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width]
    contours, _ = cv2.findContours(view.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea, default=None)
    if contour is None or cv2.contourArea(contour) < _SMALLEST * view.size:
        return None
    simple = cv2.approxPolyDP(contour, 0.004 * cv2.arcLength(contour, True), True).reshape(-1, 2)
    # A pixel of the mask reaches from its index to the next: grow by half towards both sides.
    spread = (simple + 0.5) * (width / fit.width, height / fit.height)
    return np.asarray(spread.clip(0, (width, height)), np.float32) if len(simple) >= 3 else None


def _bounds(polygon: Floats) -> Floats:
    return np.concatenate([polygon.min(axis=0), polygon.max(axis=0)])
