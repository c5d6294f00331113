"""Enlarging a variant to 8K."""

from pathlib import Path

from darkroom.queue.task import Task
from darkroom.storage.images import Pixels
from darkroom.variants.finishing import Finished


def enlarged(task: Task, pixels: Pixels, folder: Path) -> Finished:
    raise NotImplementedError
