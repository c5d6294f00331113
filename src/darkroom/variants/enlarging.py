"""Enlarging a variant to 8K."""

from pathlib import Path

from darkroom.gated import models
from darkroom.queue.task import Task
from darkroom.storage.images import Pixels
from darkroom.variants.finishing import Finished
from darkroom.vision.models import upscaler

OPERATION = "enlarge"


def enlarged(task: Task, pixels: Pixels, folder: Path) -> Finished:
    """The picture with its longer side as the settings say; its pixels lie in the folder."""
    chosen = task.settings.variants

    def told(done: int, tiles: int) -> None:
        task.progress(
            0.95 * done / tiles, "enlarging: tile {tile} of {tiles}", tile=done, tiles=tiles
        )

    with models.using(task, upscaler(task.settings.weights_dir), OPERATION) as loaded:
        found = loaded.upscale(
            pixels,
            folder=folder,
            model=chosen.model,
            long_side=max(chosen.long_side, *pixels.shape[:2]),
            told=told,
            stop=task.checkpoint,
        )
    report = {
        "engine": found.engine,
        "model": found.model,
        "width": found.pixels.shape[1],
        "height": found.pixels.shape[0],
        "seconds": round(found.seconds, 1),
    }
    return Finished(found.pixels, True, report)
