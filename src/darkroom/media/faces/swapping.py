"""Swapping the faces of a request's pictures."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.gated import files, models
from darkroom.media import marks, results
from darkroom.media.faces.choosing import chosen
from darkroom.media.faces.orders import CHOICES, SOURCE, TARGET
from darkroom.media.marks import Mark
from darkroom.media.receiving import SUFFIXES
from darkroom.media.requests import Made, Order
from darkroom.queue.task import Task
from darkroom.storage import images, temporary
from darkroom.storage.images import Pixels
from darkroom.vision.models import face_swapper
from darkroom.vision.swapping import INSWAPPER, Swapper
from darkroom.web.words import N_

Json = dict[str, Any]

OPERATION = "swap"
SOURCE_SIDE = 2048
"""The longer side at which the face's own picture is looked at."""
QUALITY = 95
FALLBACK = N_(
    "InsightFace and its weights are not installed, so the face was fitted by its landmarks and "
    "blended in: its look stays, its expression and glasses come along."
)


@dataclass(frozen=True)
class Swapped:
    """A swapped face, in the store and without rows yet."""

    result: Json
    files: list[Made]
    engine: str


def swapped(task: Task, order: Order) -> Swapped:
    """The target of a request with the source's face in it, marked and stored.

    Raises
    ------
    Invalid
        When a face cannot be found, or it is not clear which is meant.
    """
    started = time.monotonic()
    source = _source(task, order)
    [given] = order.files[TARGET]
    chosen_model = face_swapper(task.settings.weights_dir, task.settings.insightface_dir)
    with files.pixels_of(task, given.asset_id) as target:
        models.load(task, chosen_model, OPERATION)
        task.progress(0.3, "looking for the faces")
        with models.using(task, chosen_model, OPERATION) as swapper:
            engine = swapper.engine
            made = _exchanged(task, swapper, order, source, target)
        task.progress(0.9, "storing the picture")
        stored = _stored(task, order, made, given.mime, engine)
    return Swapped(_told(made, engine, time.monotonic() - started), stored, engine)


def _source(task: Task, order: Order) -> Pixels:
    """The face's own picture. Its room is given back before that of the target is asked for."""
    [given] = order.files[SOURCE]
    with files.with_room(task, given.asset_id) as path:
        pixels, _ = images.thumbnail(path, SOURCE_SIDE, max_pixels=task.settings.max_pixels)
        return pixels


def _exchanged(
    task: Task, swapper: Swapper, order: Order, source: Pixels, target: Pixels
) -> Pixels:
    face, place = (
        chosen(swapper.faces(pixels), name, order.asked[CHOICES[name]])
        for name, pixels in ((SOURCE, source), (TARGET, target))
    )
    task.progress(0.5, "swapping the faces")
    return swapper.swap(source, face, target, place)


def _stored(task: Task, order: Order, pixels: Pixels, given: str, engine: str) -> list[Made]:
    mime = images.PNG if given == images.PNG else images.JPEG
    shown = marks.drawn(pixels) if task.settings.media.mark == "visible" else pixels
    name = f"result.{SUFFIXES[mime]}"
    with temporary.folder(task.settings.temp_dir) as folder:
        path: Path = folder / "result"
        images.save(shown, path, mime, quality=QUALITY)
        marks.embed(path, mime, mark_of(engine))
        stored = results.put(task, order, path, name, mime, results.size_of(shown))
        return [
            Made("result", stored, f"face-swap.{SUFFIXES[mime]}"),
            results.thumbnail(task, order, path),
        ]


def mark_of(engine: str) -> Mark:
    """How a picture with a swapped face came to be."""
    return Mark(marks.GENERATED_IN_PART if engine == INSWAPPER else marks.COMPOSED, engine)


def _told(pixels: Pixels, engine: str, seconds: float) -> Json:
    width, height = results.size_of(pixels)
    said = {"width": width, "height": height, "seconds": round(seconds, 2)}
    return said if engine == INSWAPPER else {**said, "fallback": FALLBACK}
