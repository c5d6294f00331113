"""Stored files as steps use them: from this machine's cache, else behind the storage's breaker."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from darkroom.errors import Transient
from darkroom.queue.gates.call import calling
from darkroom.queue.task import Task
from darkroom.storage import assets, images, temporary
from darkroom.storage.assets import Asset, StoredFile
from darkroom.storage.cache import file_cache, matches
from darkroom.storage.images import Pixels
from darkroom.storage.room import pixel_room
from darkroom.storage.store import open_store

log = logging.getLogger(__name__)

PROVIDER = "storage"
REDUCED_QUALITY = 92


@contextmanager
def original(task: Task, asset_id: UUID) -> Iterator[Path]:
    """A stored file, whole and unchanged, as a file for as long as the block lasts.

    Raises
    ------
    NotFound
        When the storage has it no more.
    NotNow
        When the storage is away and its breaker open.
    """
    with _lent(task, _asset(task, asset_id)) as path:
        yield path


@contextmanager
def with_room(task: Task, asset_id: UUID) -> Iterator[Path]:
    """A stored picture as a file, once it is this step's turn to decode so many pixels."""
    asset = _asset(task, asset_id)
    with _lent(task, asset) as path, _room(task, asset):
        yield path


@contextmanager
def pixels_of(task: Task, asset_id: UUID) -> Iterator[Pixels]:
    """The pixels of a stored picture, decoded once it is this step's turn to hold so many."""
    with with_room(task, asset_id) as path:
        yield images.load(path, max_pixels=task.settings.max_pixels)


def reduced(task: Task, path: Path, side: int) -> bytes:
    """A JPEG of a picture without its metadata, its longer side at most `side` pixels."""
    with temporary.folder(task.settings.temp_dir) as folder:
        pixels, _ = images.thumbnail(path, side, max_pixels=task.settings.max_pixels)
        small = folder / "reduced"
        images.save(pixels, small, images.JPEG, quality=REDUCED_QUALITY)
        return small.read_bytes()


@contextmanager
def _lent(task: Task, asset: Asset) -> Iterator[Path]:
    with temporary.folder(task.settings.temp_dir) as folder:
        path = folder / "original"
        if not _cached(task, asset, path):
            _fetch(task, asset, path)
            _cache(task, asset, path)
        yield path


@contextmanager
def _room(task: Task, asset: Asset) -> Iterator[None]:
    """Room in memory for a stored picture; waits while other steps of this process have it."""
    pixels = (asset.width or 0) * (asset.height or 0)
    with task.resource(pixel_room).taking(pixels, task.checkpoint):
        yield


def put(
    task: Task, path: Path, *, mime: str, key: str, pixels: tuple[int, int] | None = None
) -> StoredFile:
    """Put a file into the store, under the key; `pixels` (width, height) where it shows some."""
    with calling(task, provider=PROVIDER, operation="put"):
        return assets.put(task.resource(open_store), path, mime=mime, key=key, pixels=pixels)


def put_picture(task: Task, pixels: Pixels, key: str) -> StoredFile:
    """Encode a picture as AVIF and put it into the store."""
    chosen = task.settings.counting
    with temporary.folder(task.settings.temp_dir) as folder:
        path = folder / "picture.avif"
        images.save(
            pixels, path, images.AVIF, quality=chosen.image_quality, avif_speed=chosen.avif_speed
        )
        size = (pixels.shape[1], pixels.shape[0])
        return put(task, path, mime=images.AVIF, key=key, pixels=size)


def _asset(task: Task, asset_id: UUID) -> Asset:
    with task.database.session() as session:
        return session.get_one(Asset, asset_id)


def _fetch(task: Task, asset: Asset, path: Path) -> None:
    with calling(task, provider=PROVIDER, operation="get"):
        task.resource(open_store).fetch(asset.storage_key, path)
        if not matches(path, asset.sha256, asset.size_bytes):
            raise Transient(f"{asset.storage_key} came from the storage other than it was put.")


def _cached(task: Task, asset: Asset, path: Path) -> bool:
    try:
        return task.resource(file_cache).take(asset.sha256, asset.size_bytes, path)
    except OSError:
        log.warning("the cache of originals cannot be read", exc_info=True)
        path.unlink(missing_ok=True)
        return False


def _cache(task: Task, asset: Asset, path: Path) -> None:
    """Keep a copy for the next step; nothing fails for want of one."""
    try:
        task.resource(file_cache).keep(asset.sha256, path)
    except OSError:
        log.warning("the cache of originals cannot be written", exc_info=True)
