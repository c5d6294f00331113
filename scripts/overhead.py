"""What queue, database and storage cost beside the work itself, with a real worker process."""

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

import numpy as np
from PIL import Image as Picture
from scenes.truth import Photo

from darkroom.accounts.service import ensure_admin
from darkroom.counting import drawing, quality
from darkroom.counting.drawing import Legend
from darkroom.counting.parameters import Parameters
from darkroom.counting.photo import CountedContainer, PhotoCounter
from darkroom.counting.service import CountingService
from darkroom.db import embedded, migrate
from darkroom.db.sessions import Database
from darkroom.queue import runs
from darkroom.settings import Settings
from darkroom.storage import images
from darkroom.storage.images import Pixels
from darkroom.storage.store import open_store
from darkroom.vision.detect import PlantDetector
from darkroom.vision.segment import ContainerSegmenter
from darkroom.vision.weights import bundled

PATIENCE = 120.0
Timed = Callable[[bytes], float]


@dataclass(frozen=True)
class Overhead:
    """Seconds for all photos: the work by itself, and from upload to the end of the run."""

    photos: int
    work: float
    whole: float

    @property
    def share(self) -> float:
        """How much longer the whole takes than the work."""
        return self.whole / self.work - 1

    def __str__(self) -> str:
        return (
            f"End to end, {self.photos} photos one by one: work {self.work:.2f} s, "
            f"with queue, database and storage {self.whole:.2f} s, overhead {self.share:.1%}"
        )


@dataclass
class File:
    """A photo as a browser sends it."""

    filename: str
    stream: io.BytesIO


def overhead(photos: list[Photo], cache: Path, device: str, repeat: int = 5) -> Overhead:
    """Time photos by themselves and through the product, in turn; of each the best counts.

    In turn, so that whatever else the machine does slows both.
    """
    files = [_jpeg(photo) for photo in photos]
    with tempfile.TemporaryDirectory() as folder, _product(Path(folder), cache) as counted:
        by_itself = _worker(Path(folder), cache, device)
        for first in (counted, by_itself):
            first(files[0])
        pairs = [[(by_itself(file), counted(file)) for _ in range(repeat)] for file in files]
    best = [[min(times) for times in zip(*tries, strict=True)] for tries in pairs]
    return Overhead(len(files), sum(work for work, _ in best), sum(whole for _, whole in best))


@contextmanager
def _product(folder: Path, cache: Path) -> Iterator[Timed]:
    """The product with an empty database and a worker process; times the count of a photo."""
    folder.chmod(0o755)
    with embedded.running(folder / "postgres") as url:
        settings = Settings(home=folder / "home", database_url=url)
        settings.cache_dir.parent.mkdir(parents=True, exist_ok=True)
        settings.cache_dir.symlink_to(cache.resolve())
        migrate.migrate(url)
        database = Database(url)
        service = CountingService(settings, database, open_store(settings))
        with database.session() as session:
            user = ensure_admin(session).id
        with _working(settings):
            yield lambda file: _counted(service, database, user, file)


def _jpeg(photo: Photo) -> bytes:
    file = io.BytesIO()
    Picture.fromarray(photo.image).save(file, "JPEG", quality=92)
    return file.getvalue()


@contextmanager
def _working(settings: Settings) -> Iterator[None]:
    environ = {
        **os.environ,
        "DATABASE_URL": settings.database_url or "",
        "DARKROOM_HOME": str(settings.home),
    }
    command = [sys.executable, "-m", "darkroom.cli", "worker"]
    worker = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait()


def _counted(service: CountingService, database: Database, user: int, file: bytes) -> float:
    """Seconds from the upload of a photo to the end of its run."""
    with database.connect() as news:
        news.execute("LISTEN darkroom_runs")
        started = time.perf_counter()
        sent = service.receive([File("photo.jpg", io.BytesIO(file))], user)
        while not _is_over(database, sent.run_id):
            if time.perf_counter() - started > PATIENCE:
                raise TimeoutError("The worker did not count the photo.")
            next(news.notifies(timeout=1, stop_after=1), None)
        return time.perf_counter() - started


def _is_over(database: Database, run_id: UUID) -> bool:
    with database.session() as session:
        run = runs.get(session, run_id)
        if run is not None and run.status == "failed":
            raise RuntimeError(f"The count failed: {run.error}")
        return run is not None and run.is_over


def _worker(folder: Path, cache: Path, device: str) -> Timed:
    """Times the work on a photo, in this process and without anything around it."""
    settings = Settings(home=folder, database_url=None).counting
    counter = PhotoCounter(
        ContainerSegmenter(bundled("containers"), cache_dir=cache, device=device),
        partial(nullcontext, PlantDetector(bundled("plants"), cache_dir=cache, device=device)),
        settings,
        Parameters(),
    )
    path = folder / "photo.jpg"

    def work(file: bytes) -> float:
        path.write_bytes(file)
        started = time.perf_counter()
        _work(path, counter, settings.thumbnail_side, settings.slice_size)
        return time.perf_counter() - started

    return work


def _work(path: Path, counter: PhotoCounter, side: int, slice_size: int) -> None:
    """What has to be done to a photo, once: decode, shrink, count, judge, draw, encode."""
    most = 100_000_000
    small, _ = images.thumbnail(path, side, max_pixels=most)
    _encode(small, path.with_suffix(".small.avif"))
    pixels = images.load(path, max_pixels=most)
    found = counter.count(pixels, lambda *told: None)
    quality.reasons(pixels, found, slice_size)
    drawing.draw_over(pixels, *_overlays(found))
    _encode(pixels, path.with_suffix(".avif"))


def _overlays(found: list[CountedContainer]) -> tuple[np.ndarray, list, Legend]:
    boxes = np.concatenate([np.empty((0, 4)), *(part.plants.boxes for part in found)])
    regions = [
        band.vegetation_polygon
        for part in found
        for band in part.estimate.bands
        if band.estimated_count
    ]
    return boxes, regions, Legend(len(boxes), sum(p.estimate.estimated_count for p in found), 0.8)


def _encode(pixels: Pixels, path: Path) -> None:
    images.save(pixels, path, images.AVIF, quality=85, avif_speed=8)
