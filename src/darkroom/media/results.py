"""Files that a step makes for a request: put among those of the request."""

from pathlib import Path

from darkroom.gated import files
from darkroom.media.requests import Made, Order
from darkroom.queue.task import Task
from darkroom.storage import images, temporary
from darkroom.storage.assets import StoredFile
from darkroom.storage.images import Pixels

THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 480, 85


def put(
    task: Task,
    order: Order,
    path: Path,
    name: str,
    mime: str,
    size: tuple[int, int] | None = None,
) -> StoredFile:
    """Put a file among those of the request; (width, height) in pixels where it shows something."""
    return files.put(task, path, mime=mime, key=f"media/{order.request_id}/{name}", pixels=size)


def thumbnail(task: Task, order: Order, path: Path) -> Made:
    """What lists show of a picture."""
    return Made("thumbnail", small(task, path, f"media/{order.request_id}/thumbnail.webp"))


def small(task: Task, path: Path, key: str) -> StoredFile:
    """Put a reduced copy of a picture under the key."""
    reduced, _ = images.thumbnail(path, THUMBNAIL_SIDE, max_pixels=task.settings.max_pixels)
    with temporary.folder(task.settings.temp_dir) as folder:
        made = folder / "small"
        images.save(reduced, made, images.WEBP, quality=THUMBNAIL_QUALITY)
        return files.put(task, made, mime=images.WEBP, key=key, pixels=size_of(reduced))


def size_of(pixels: Pixels) -> tuple[int, int]:
    """Width and height of a picture (H, W, 3)."""
    return pixels.shape[1], pixels.shape[0]
