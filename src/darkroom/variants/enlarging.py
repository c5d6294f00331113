"""Enlarging a variant to 8K."""

from pathlib import Path

from darkroom.gated import enlarging
from darkroom.queue.task import Task
from darkroom.storage.images import Pixels
from darkroom.variants.finishing import Finished


def enlarged(task: Task, pixels: Pixels, folder: Path) -> Finished:
    """The picture with its longer side as the settings say; its pixels lie in the folder."""
    chosen = task.settings.variants
    long_side = max(chosen.long_side, *pixels.shape[:2])
    found = enlarging.enlarged(task, pixels, folder, model=chosen.model, long_side=long_side)
    return Finished(found.pixels, True, enlarging.report(found))
