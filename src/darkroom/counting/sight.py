"""The counting models as a step sees with them: from the cache, a photo behind their breakers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from darkroom.gated import models
from darkroom.queue.task import Task
from darkroom.vision.cache import Model
from darkroom.vision.detect import Image, PlantDetector
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

    @contextmanager
    def held(self) -> Iterator[PlantDetector]:
        """The detector, for all looks at one photo: its gate is asked once."""
        with models.using(self.task, self.model, DETECT) as loaded:
            yield loaded
