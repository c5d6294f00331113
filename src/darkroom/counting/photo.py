"""Counts one photo: containers, the plants seen in each, the plants estimated beside them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import cast

import numpy as np

from darkroom.counting import bands
from darkroom.counting.bands import ContainerEstimate
from darkroom.counting.containers import Container, Crop, Kind, assign, crops
from darkroom.counting.debris import debris
from darkroom.counting.geometry import Bools, Bytes, Floats, Integers
from darkroom.counting.parameters import Parameters
from darkroom.settings import CountingSettings
from darkroom.vision.detect import Detections, PlantDetector
from darkroom.vision.segment import ContainerSegmenter

FAINT = 0.1
"""Score from which on a box, though no detection, makes leftover vegetation a possible plant."""

Report = Callable[[int, int, int, int], None]
"""Told the container and how many there are, the slice in it and how many there are."""


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


@dataclass(frozen=True)
class CountedContainer:
    """A container, the plants seen in it and the estimate of the others."""

    container: Container
    is_segmented: bool
    plants: Plants
    estimate: ContainerEstimate

    @property
    def category_counts(self) -> Counter[str]:
        """Plants seen, by class."""
        return Counter(self.plants.classes)


class PhotoCounter:
    """Counts photos with one pair of models and one set of parameters, one photo at a time."""

    def __init__(
        self,
        segmenter: ContainerSegmenter,
        detector: PlantDetector,
        settings: CountingSettings,
        parameters: Parameters,
    ) -> None:
        self._segmenter = segmenter
        self._detector = detector
        self._settings = settings
        self._parameters = parameters
        # The models are not thread-safe.
        self._alone = Lock()

    def count(self, photo: Bytes, report: Report) -> list[CountedContainer]:
        """Count the plants of a photo (H, W, 3, RGB), container by container.

        A photo without a container is counted as one whole `segment`. `report` is called between
        batches of slices and may raise to stop.
        """
        with self._alone:
            return self._count(photo, report)

    def _count(self, photo: Bytes, report: Report) -> list[CountedContainer]:
        found, segmented = self._containers(photo)
        pieces = [
            (container, crop)
            for container, crop in zip(found, crops(found, photo.shape[:2]), strict=True)
            if crop is not None
        ]
        plants, sources = self._detect(photo, [crop for _, crop in pieces], report)
        polygons = [container.polygon for container, _ in pieces]
        owners = assign(plants.boxes, plants.scores, sources, polygons)
        kept = np.flatnonzero(~debris(plants.boxes, plants.scores, owners))
        plants, owners = plants.where(kept), owners[kept]
        return [
            CountedContainer(
                container,
                segmented,
                plants.where(np.flatnonzero(owners == place)),
                self._estimate(photo, container, crop, plants, owners == place),
            )
            for place, (container, crop) in enumerate(pieces)
        ]

    def _containers(self, photo: Bytes) -> tuple[list[Container], bool]:
        found = self._segmenter.segment(
            photo,
            confidence=self._settings.confidence,
            iou=self._settings.segmentation_iou,
        )
        if found:
            return [
                Container(c.polygon.astype(float), cast(Kind, c.kind), c.confidence) for c in found
            ], True
        height, width = photo.shape[:2]
        frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        return [Container(frame, "segment", 0.0)], False

    def _detect(self, photo: Bytes, pieces: list[Crop], report: Report) -> tuple[Plants, Integers]:
        """Plants in each crop, in photo pixels, and the crop that each was found in."""
        boxes, scores, names, sources = [np.empty((0, 4))], [np.empty(0)], [], []
        for place, crop in enumerate(pieces):

            def on_slice(done: int, total: int, place: int = place) -> None:
                report(place + 1, len(pieces), done, total)

            part = np.ascontiguousarray(crop.of(photo))
            found = self._look(part, self._settings.confidence, on_slice)
            boxes.append(crop.abroad(found.boxes.astype(float)))
            scores.append(found.scores.astype(float))
            names += [found.names[number] for number in found.classes]
            sources += [place] * len(found.scores)
        plants = Plants(np.concatenate(boxes), np.concatenate(scores), tuple(names))
        return plants, np.array(sources, dtype=np.int64)

    def _estimate(
        self, photo: Bytes, container: Container, crop: Crop, plants: Plants, own: Bools
    ) -> ContainerEstimate:
        """The estimate of one container, with a second look where plants seem to be missing."""
        part = np.ascontiguousarray(crop.of(photo))

        def estimate(faint: Floats | None) -> ContainerEstimate:
            return bands.estimate(
                part,
                crop.mask,
                crop.local(plants.boxes[own]),
                container.kind,
                self._parameters,
                others=crop.local(plants.boxes[~own]),
                faint=faint,
                origin=(crop.x1, crop.y1),
            )

        first = estimate(None)
        if not first.estimated_count:
            return first
        return estimate(self._look(part, FAINT).boxes.astype(float))

    def _look(
        self, part: Bytes, confidence: float, on_slice: Callable[[int, int], None] | None = None
    ) -> Detections:
        return self._detector.detect(
            part,
            confidence=confidence,
            slice_size=self._settings.slice_size,
            overlap=self._settings.slice_overlap,
            on_slice=on_slice,
        )
