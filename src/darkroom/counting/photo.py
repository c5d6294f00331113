"""Counts one photo: containers, the plants seen in each, the plants estimated beside them."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

import numpy as np

from darkroom.counting import bands
from darkroom.counting.bands import ContainerEstimate
from darkroom.counting.containers import NOBODY, Container, Crop, Kind, assign, crops
from darkroom.counting.debris import debris
from darkroom.counting.geometry import Bytes, Floats, Integers
from darkroom.counting.parameters import Parameters
from darkroom.settings import CountingSettings
from darkroom.vision import segment
from darkroom.vision.detect import Detections, OnSlice

FAINT = 0.1
"""Score from which on a box, though no detection, makes leftover vegetation a possible plant."""
MAYBE = 0.1
"""Score from which on a part of the photo is a container if plants are seen in it. Of 8,900 plants
on generated photos 640 stood in containers that the segmenter was not sure of."""

Held = Callable[[], AbstractContextManager["Detector"]]
"""Gives a detector for as long as a block lasts: for all looks at one photo."""
Piece = tuple[Container, Crop]
Report = Callable[[int, int, int, int], None]
"""Told the container and how many there are, the slice in it and how many there are."""


class Segmenter(Protocol):
    """Finds containers: `ContainerSegmenter`, or one that stands for it."""

    def segment(
        self, image: Bytes, *, confidence: float, iou: float
    ) -> list[segment.Container]: ...


class Detector(Protocol):
    """Finds plants: `PlantDetector`, or one that stands for it."""

    def detect(
        self,
        image: Bytes,
        *,
        confidence: float,
        faint: float | None,
        slice_size: int,
        overlap: float,
        on_slice: OnSlice | None,
    ) -> Detections: ...


@dataclass(frozen=True)
class Plants:
    """Detections: boxes (N, 4) x1, y1, x2, y2 in photo pixels, scores (N,), class names (N)."""

    boxes: Floats
    scores: Floats
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.classes)

    def where(self, chosen: Integers) -> "Plants":
        """Those at the given places."""
        names = tuple(self.classes[place] for place in chosen)
        return Plants(self.boxes[chosen], self.scores[chosen], names)

    def of(self, owners: Integers, number: int) -> "list[Plants]":
        """Those of each of so many owners."""
        return [self.where(np.flatnonzero(owners == owner)) for owner in range(number)]


@dataclass(frozen=True)
class CountedContainer:
    """A container, the plants seen in it and the estimate of the others.

    `faint` are what the detector half believed in, beside them.
    """

    container: Container
    is_segmented: bool
    plants: Plants
    faint: Plants
    estimate: ContainerEstimate

    @property
    def category_counts(self) -> Counter[str]:
        """Plants seen, by class."""
        return Counter(self.plants.classes)


@dataclass(frozen=True)
class _Seen:
    container: Container
    crop: Crop
    plants: Plants
    faint: Plants


class PhotoCounter:
    """Counts photos with one pair of models and one set of parameters.

    It is as thread-safe as its models.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        detecting: Held,
        settings: CountingSettings,
        parameters: Parameters,
    ) -> None:
        self._segmenter = segmenter
        self._detecting = detecting
        self._settings = settings
        self._parameters = parameters

    def count(self, photo: Bytes, report: Report) -> list[CountedContainer]:
        """Count the plants of a photo (H, W, 3, RGB), container by container.

        A photo without a container is counted as one of the kind that is expected. `report` is
        called between batches of slices and may raise to stop.
        """
        seen = self._seen(photo, self._containers(photo), report)
        seen = seen or self._seen(photo, [self._frame(photo)], report)
        return [
            CountedContainer(
                container=one.container,
                is_segmented=one.container.confidence > 0,
                plants=one.plants,
                faint=one.faint,
                estimate=self._estimate(photo, one, [o.plants for o in seen if o is not one]),
            )
            for one in seen
        ]

    def _containers(self, photo: Bytes) -> list[Container]:
        """The containers of a photo, and what only may be one."""
        found = self._segmenter.segment(
            photo,
            confidence=min(MAYBE, self._settings.confidence),
            iou=self._settings.segmentation_iou,
        )
        return [Container(c.polygon.astype(float), cast(Kind, c.kind), c.confidence) for c in found]

    def _seen(self, photo: Bytes, containers: list[Container], report: Report) -> list[_Seen]:
        """The containers with what is in them; what only may be one is one if plants are in it."""
        pieces = [
            (container, crop)
            for container, crop in zip(containers, crops(containers, photo.shape[:2]), strict=True)
            if crop is not None
        ]
        sure, faint = self._detect(photo, pieces, report)
        seen = [
            _Seen(*piece, plants, half)
            for piece, plants, half in zip(pieces, sure, faint, strict=True)
        ]
        return [one for one in seen if len(one.plants) or not self._is_doubtful(one.container)]

    def _detect(
        self, photo: Bytes, pieces: Sequence[Piece], report: Report
    ) -> tuple[list[Plants], list[Plants]]:
        """The plants of each container, and what else was half seen in each, in photo pixels."""
        seen, sources = self._look(photo, [crop for _, crop in pieces], report)
        polygons = [container.polygon for container, _ in pieces]
        owners = assign(seen.boxes, seen.scores, sources, polygons)
        sure = seen.scores >= self._settings.confidence
        is_plant = sure.copy()
        is_plant[sure] = ~debris(seen.boxes[sure], seen.scores[sure], owners[sure])
        return (
            seen.of(np.where(is_plant, owners, NOBODY), len(pieces)),
            seen.of(np.where(sure, NOBODY, owners), len(pieces)),
        )

    def _look(self, photo: Bytes, pieces: list[Crop], report: Report) -> tuple[Plants, Integers]:
        """All boxes of all crops, in photo pixels, and the crop that each was found in."""
        with self._detecting() as detector:
            looks = [
                self._looked(detector, photo, piece, partial(report, place, len(pieces)))
                for place, piece in enumerate(pieces, start=1)
            ]
        boxes, scores, names, sources = [np.empty((0, 4))], [np.empty(0)], [], []
        for place, (piece, found) in enumerate(zip(pieces, looks, strict=True)):
            boxes.append(piece.abroad(found.boxes.astype(float)))
            scores.append(found.scores.astype(float))
            names += [found.names[number] for number in found.classes]
            sources += [place] * len(found.scores)
        plants = Plants(np.concatenate(boxes), np.concatenate(scores), tuple(names))
        return plants, np.array(sources, dtype=np.int64)

    def _looked(
        self, detector: Detector, photo: Bytes, piece: Crop, on_slice: OnSlice
    ) -> Detections:
        return detector.detect(
            piece.of(photo),
            confidence=self._settings.confidence,
            faint=FAINT,
            slice_size=self._settings.slice_size,
            overlap=self._settings.slice_overlap,
            on_slice=on_slice,
        )

    def _frame(self, photo: Bytes) -> Container:
        """The whole photo in place of a container; no model is sure of that."""
        height, width = photo.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        return Container(corners, self._parameters.expected_kind, 0.0)

    def _is_doubtful(self, container: Container) -> bool:
        return 0 < container.confidence < self._settings.confidence

    def _estimate(self, photo: Bytes, one: _Seen, others: list[Plants]) -> ContainerEstimate:
        crop, beside = one.crop, [np.empty((0, 4)), *(plants.boxes for plants in others)]
        return bands.estimate(
            crop.of(photo),
            crop.mask,
            crop.local(one.plants.boxes),
            one.container.kind,
            self._parameters,
            scores=one.plants.scores,
            others=crop.local(np.concatenate(beside)),
            faint=crop.local(one.faint.boxes),
            faint_scores=one.faint.scores,
            origin=(crop.x1, crop.y1),
        )
