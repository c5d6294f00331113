"""Plants in a photo: a small network over overlapping slices, merged to one box a plant.

A plant that is smaller than the overlap of two slices lies whole in one of them. One that is larger
may be cut in every slice, and would count twice. Where boxes show that, the photo is looked at once
more at half its size, and so on until nothing large is cut. Only large boxes are taken from there,
so that small plants are always judged at full size; what lies within such a box was a leaf of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Permanent
from darkroom.vision import merge as merging
from darkroom.vision.network import Network, load
from darkroom.vision.slice import Slicing, cut, plan

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Merge = Literal["NMS", "GREEDYNMM"]
OnSlice = Callable[[int, int], None]

_SLICE_IOU = 0.7
"""Ultralytics' own threshold between the boxes of one slice."""
_MERGE_THRESHOLD = 0.5
_PART = 0.5
"""A box of narrow slices with this share of it inside a whole large plant is part of that."""
_EDGE = 1.5
"""A box this near (network pixels) to an inner edge of its slice may go on beyond it."""


@dataclass(frozen=True)
class Detections:
    """Plants found in one image.

    Attributes
    ----------
    boxes : (N, 4) x1, y1, x2, y2 in pixels of the image, best first
    scores : (N,) 0 to 1
    classes : (N,) indices into `names`
    names : the weights' class names
    """

    boxes: Floats
    scores: Floats
    classes: Integers
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True)
class _Found:
    """Boxes of one width of slices, in image pixels; `cut` marks those at an inner slice edge."""

    boxes: Floats
    scores: Floats
    classes: Integers
    cut: Bools

    def pick(self, chosen: Integers | Bools) -> "_Found":
        return _Found(
            self.boxes[chosen], self.scores[chosen], self.classes[chosen], self.cut[chosen]
        )

    def sure(self, confidence: float) -> "_Found":
        return self.pick(self.scores >= confidence)

    def unsure(self, confidence: float) -> "_Found":
        return self.pick(self.scores < confidence)

    def named(self, names: tuple[str, ...]) -> Detections:
        return Detections(self.boxes, self.scores, self.classes, names)

    def scaled(self, view: Image, image: Image) -> "_Found":
        """Boxes in the pixels of `view` in those of `image`, the same photo at another size."""
        factor = np.divide(_frame(image), _frame(view), dtype=np.float32)
        return _Found(self.boxes * np.tile(factor, 2), self.scores, self.classes, self.cut)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def longest(self) -> Floats:
        return np.asarray((self.boxes[:, 2:] - self.boxes[:, :2]).max(axis=1, initial=0))


class PlantDetector:
    """Sliced plant detection with one weight file. Not thread-safe: one per thread.

    Parameters
    ----------
    weights : a YOLO detection checkpoint; the image size it was trained at is the one used
    cache_dir : where exports are kept
    device : "cpu", "cuda" or None for the best there is
    """

    def __init__(self, weights: Path, *, cache_dir: Path, device: str | None = None) -> None:
        self._network = load(weights, cache_dir, device)
        if self._network.facts.task != "detect":
            raise Permanent(f"{weights.name} does not hold a plant detector.")

    @property
    def side(self) -> int:
        """The image side, pixels, that the network takes each slice at."""
        return self._network.facts.side

    @property
    def size_bytes(self) -> int:
        """What the network takes of its device's memory."""
        return self._network.size_bytes

    def detect(
        self,
        image: Image,
        *,
        confidence: float = 0.30,
        faint: float | None = None,
        slice_size: int = 512,
        overlap: float = 0.25,
        merge: Merge = "NMS",
        on_slice: OnSlice | None = None,
    ) -> Detections:
        """Find the plants of an RGB image (H, W, 3).

        An image smaller than a slice is looked at directly.

        Parameters
        ----------
        confidence : boxes below this score are dropped
        faint : also give the boxes between this score and `confidence` that lie beside the others;
            they come last and change nothing about those
        slice_size, overlap : side of the slices in pixels, and the share that neighbours share
        merge : "NMS" keeps the best of boxes with IOU >= 0.5; "GREEDYNMM" grows it over boxes
            with IOS >= 0.5
        on_slice : called with (slices done, slices planned) between batches; may raise to stop.
            The planned number grows when large plants call for another look.
        """
        told, view = _Counter(on_slice), image
        slicing = plan(_frame(view), slice_size, overlap)
        lowest = confidence if faint is None else min(confidence, faint)
        seen = self._look(view, slicing, lowest, told)
        found, doubtful = _settle(seen.sure(confidence)), [seen.unsure(confidence)]
        reach = overlap * slicing.side
        while len(slicing) > 1 and (pieces := found.pick(_large_pieces(found, reach))):
            view = _halved(view)
            slicing = plan(_frame(view), slice_size, overlap)
            near = slicing.meeting(pieces.scaled(image, view).boxes)
            seen = self._look(view, near, lowest, told).scaled(view, image)
            wider, unsure = _settle(seen.sure(confidence)), seen.unsure(confidence)
            large = wider.pick(wider.longest >= 0.75 * reach)
            found = _settle(_joined(_beside(found, large), large))
            doubtful.append(unsure.pick(unsure.longest >= 0.75 * reach))
            reach *= 2
        merged = _merged(found, merge)
        beside = _merged(_apart(_joined(*doubtful), merged), "NMS")
        return _joined(merged, beside).named(self._network.facts.names)

    def _look(self, image: Image, slicing: Slicing, confidence: float, told: "_Counter") -> _Found:
        """The boxes of every slice, in image pixels, slice by slice without their duplicates."""
        told.plan(len(slicing))
        found = []
        for corners in _batches(slicing.corners, self._network):
            tiles = [cut(image, corner, slicing.side, self.side) for corner in corners]
            outputs = self._network.run(np.stack(tiles))[0]
            for corner, output in zip(corners, outputs, strict=True):
                found.append(_decode(output, corner, slicing, self.side, confidence))
            told.done(len(corners))
        return _joined(*found)


def _frame(image: Image) -> tuple[int, int]:
    return image.shape[1], image.shape[0]


def _halved(image: Image) -> Image:
    size = (max(1, image.shape[1] // 2), max(1, image.shape[0] // 2))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


class _Counter:
    """Tells the caller how far the slices are."""

    def __init__(self, on_slice: OnSlice | None) -> None:
        self._on_slice = on_slice
        self._done = self._total = 0

    def plan(self, more: int) -> None:
        self._total += more

    def done(self, more: int) -> None:
        self._done += more
        if self._on_slice is not None:
            self._on_slice(self._done, self._total)


def _batches(corners: Integers, network: Network) -> Iterator[Integers]:
    start = 0
    while start < len(corners):
        # Read anew each time: the network halves it when its device runs out of memory.
        size = network.batch
        yield corners[start : start + size]
        start += size


def _decode(
    output: Floats, corner: Integers, slicing: Slicing, side: int, confidence: float
) -> _Found:
    """One slice's raw output (4 + classes, anchors) as boxes in image pixels."""
    scores = output[4:].max(axis=0)
    keep = scores >= confidence
    x, y, width, height = output[:4, keep]
    boxes = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    boxes, scores, classes = boxes.clip(0, side), scores[keep], output[4:, keep].argmax(axis=0)
    best = merging.nms(boxes, scores, "IOU", _SLICE_IOU)
    boxes, scores, classes = boxes[best], scores[best], classes[best]
    return _abroad(boxes, scores, classes.astype(np.int64), corner, slicing, side)


def _abroad(
    boxes: Floats, scores: Floats, classes: Integers, corner: Integers, slicing: Slicing, side: int
) -> _Found:
    """Boxes of a slice's network pixels in image pixels, clipped to the frame."""
    ends = corner + slicing.side
    inner = np.array([*(corner > 0), *(ends < slicing.frame)])
    near = np.concatenate([boxes[:, :2] < _EDGE, boxes[:, 2:] > side - _EDGE], axis=1)
    moved = boxes * np.float32(slicing.side / side) + np.tile(corner, 2).astype(np.float32)
    moved = moved.clip(0, np.tile(slicing.frame, 2)).astype(np.float32)
    visible = np.asarray(((moved[:, 2:] - moved[:, :2]) > 0.5).all(axis=1))
    found = _Found(moved, scores, classes, (near & inner).any(axis=1))
    return found.pick(visible)


def _joined(*parts: _Found) -> _Found:
    return _Found(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.classes for part in parts]),
        np.concatenate([part.cut for part in parts]),
    )


def _settle(found: _Found) -> _Found:
    """Without the pieces of plants that are there whole."""
    return found.pick(~merging.fragments(found.boxes, found.cut, _MERGE_THRESHOLD))


def _beside(found: _Found, large: _Found) -> _Found:
    """Without the leaves and corners of large plants that narrower slices took for plants."""
    whole = large.boxes[~large.cut]
    return found.pick(~merging.covered(found.boxes, whole, _PART))


def _large_pieces(found: _Found, reach: float) -> Bools:
    """What is left of plants that may be larger than the overlap, `reach` pixels."""
    return np.asarray(found.cut & (found.longest > reach / 2))


def _apart(doubtful: _Found, found: _Found) -> _Found:
    """Those of the doubtful that show something else than what was found."""
    settled = _settle(doubtful)
    return settled.pick(~merging.covered(settled.boxes, found.boxes, _PART))


def _merged(found: _Found, merge: Merge) -> _Found:
    if merge == "GREEDYNMM":
        kept, boxes = merging.greedy_nmm(found.boxes, found.scores, "IOS", _MERGE_THRESHOLD)
        return _Found(boxes, found.scores[kept], found.classes[kept], found.cut[kept])
    # What is still cut has no whole view: two pieces of one plant share little of their union.
    pieces = np.flatnonzero(found.cut)
    best = merging.nms(found.boxes[pieces], found.scores[pieces], "IOS", _MERGE_THRESHOLD)
    found = found.pick(np.concatenate([np.flatnonzero(~found.cut), pieces[best]]))
    return found.pick(merging.nms(found.boxes, found.scores, "IOU", _MERGE_THRESHOLD))
