"""Enlarging as steps use it: by the model that all pipelines share, told tile by tile."""

from pathlib import Path
from typing import Any

from darkroom.gated import models
from darkroom.queue.task import Task
from darkroom.storage.whole import Pixels
from darkroom.vision.models import upscaler
from darkroom.vision.upscale import Upscaled

Json = dict[str, Any]

OPERATION = "enlarge"


def enlarged(
    task: Task,
    pixels: Pixels,
    folder: Path,
    *,
    model: str,
    scale: float | None = None,
    long_side: int | None = None,
) -> Upscaled:
    """The picture enlarged (see `Upscaler.upscale`); its pixels lie in the folder."""

    def told(done: int, tiles: int) -> None:
        task.progress(
            0.95 * done / tiles, "enlarging: tile {tile} of {tiles}", tile=done, tiles=tiles
        )

    with models.using(task, upscaler(task.settings.weights_dir), OPERATION) as loaded:
        return loaded.upscale(
            pixels,
            folder=folder,
            model=model,
            scale=scale,
            long_side=long_side,
            told=told,
            stop=task.checkpoint,
        )


def report(found: Upscaled) -> Json:
    """What was done, for those who asked for it."""
    return {
        "engine": found.engine,
        "model": found.model,
        "width": found.pixels.shape[1],
        "height": found.pixels.shape[0],
        "seconds": round(found.seconds, 1),
    }
