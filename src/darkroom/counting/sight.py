"""The counting models as a step sees with them: from the cache, each look behind its breaker."""

from dataclasses import dataclass

from darkroom.gated import models
from darkroom.queue.task import Task
from darkroom.vision.cache import Model
from darkroom.vision.detect import Detections, Image, OnSlice, PlantDetector
from darkroom.vision.segment import Container, ContainerSegmenter

SEGMENT, DETECT = "segment", "detect"


@dataclass(frozen=True)
class GatedSegmenter:
    """A container segmenter of the process's model cache."""

    task: Task
    model: Model[ContainerSegmenter]

    def load(self) -> None:
        """Load it now, not with the first look."""
        models.load(self.task, self.model, SEGMENT)

    def segment(self, image: Image, *, confidence: float, iou: float) -> list[Container]:
        """As `ContainerSegmenter.segment`."""
        with models.using(self.task, self.model, SEGMENT) as loaded:
            return loaded.segment(image, confidence=confidence, iou=iou)


@dataclass(frozen=True)
class GatedDetector:
    """A plant detector of the process's model cache."""

    task: Task
    model: Model[PlantDetector]

    def load(self) -> None:
        """Load it now, not with the first look."""
        models.load(self.task, self.model, DETECT)

    def detect(
        self,
        image: Image,
        *,
        confidence: float,
        faint: float | None,
        slice_size: int,
        overlap: float,
        on_slice: OnSlice | None,
    ) -> Detections:
        """As `PlantDetector.detect`."""
        with models.using(self.task, self.model, DETECT) as loaded:
            return loaded.detect(
                image,
                confidence=confidence,
                faint=faint,
                slice_size=slice_size,
                overlap=overlap,
                on_slice=on_slice,
            )
