"""Enlarging a picture, which keeps its type, its transparency and its 16 bits."""

from pathlib import Path

from darkroom.gated import enlarging, files
from darkroom.media.enhancing.result import Enhanced, described, filename, network
from darkroom.media.receiving import SUFFIXES
from darkroom.media.requests import Made, Order
from darkroom.media.results import put, thumbnail
from darkroom.queue.task import Task
from darkroom.storage import temporary, whole
from darkroom.storage.whole import Pixels

QUALITY = 95


def enlarged(task: Task, order: Order) -> Enhanced:
    """The picture of a request, enlarged, checked and stored."""
    [given] = order.files["picture"]
    with (
        files.with_room(task, given.asset_id) as path,
        temporary.folder(task.settings.temp_dir) as folder,
    ):
        pixels = whole.load(path, max_pixels=task.settings.max_pixels)
        scale = order.asked["scale"]
        found = enlarging.enlarged(task, pixels, folder, model=network(order), scale=scale)
        task.progress(0.95, "storing the enlarged picture")
        made = [_stored(task, order, found.pixels, folder), thumbnail(task, order, path)]
    size = (found.pixels.shape[1], found.pixels.shape[0])
    return Enhanced(described(order, found.engine, size, found.seconds), made, found.engine)


def _stored(task: Task, order: Order, pixels: Pixels, folder: Path) -> Made:
    [given] = order.files["picture"]
    mime = whole.kept_type(given.mime, pixels)
    path = folder / "result"
    whole.save(pixels, path, mime, quality=QUALITY)
    size = (pixels.shape[1], pixels.shape[0])
    name = f"result.{SUFFIXES[mime]}"
    stored = put(task, order, path, name, mime, size)
    return Made("result", stored, filename(order, given.filename, SUFFIXES[mime]))
