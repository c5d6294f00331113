"""Counting plants in nursery photos.

    ingest ──▶ detect (one a photo) ──▶ aggregate ──▶ draw (one a photo)

The count stands after `aggregate`; the drawings follow.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from darkroom.counting import drawing, gps, reading, totals
from darkroom.counting.counter import photo_counter
from darkroom.counting.gps import Position
from darkroom.counting.models import Photo
from darkroom.counting.service import folder
from darkroom.counting.writing import write_photo
from darkroom.queue.calls import Call
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.storage import assets, images
from darkroom.storage.assets import StoredFile
from darkroom.storage.images import Pixels
from darkroom.storage.store import open_store

DETECTING, AGGREGATING, DRAWING = 0.7, 0.05, 0.15
"""Shares of the run's progress; ingest makes the rest."""


@step(lane="io")
def ingest(task: Task, session_id: str) -> Save:
    """Make the thumbnails, read where the photos were taken, and have each photo counted."""
    photos = reading.photos_of(task.database, UUID(session_id))
    prepared = []
    for photo in photos:
        task.progress(
            (photo.position - 1) / len(photos),
            "preparing photo {photo} of {photos}",
            photo=photo.position,
            photos=len(photos),
        )
        prepared.append(_prepare(task, UUID(session_id), photo))
    share = DETECTING / len(photos)
    detections = [
        detect.call(label=photo.filename, share=share, image_id=str(photo.image_id))
        for photo in photos
    ]

    def save(tx: Transaction) -> None:
        for photo, (thumbnail, position) in zip(photos, prepared, strict=True):
            _keep(tx, tx.session.get_one(Photo, photo.image_id), thumbnail, position)
        tx.fan_out(detections, then=aggregate.call(share=AGGREGATING, session_id=session_id))

    return save


@step(lane="gpu")
def detect(task: Task, image_id: str) -> Save:
    """Count one photo: containers, the plants seen in them, the plants estimated beside them."""
    photo, photos = reading.photo_and_siblings(task.database, UUID(image_id))
    where = {"photo": photo.position, "photos": photos}
    task.progress(0.0, "opening photo {photo} of {photos}", **where)
    with _original(task, photo) as path:
        pixels = images.load(path, max_pixels=task.settings.max_pixels)
    task.progress(0.05, "loading the models")
    counter = task.resource(photo_counter)
    task.progress(0.1, "finding containers, photo {photo} of {photos}", **where)

    def report(container: int, containers: int, done: int, slices: int) -> None:
        task.progress(
            0.2 + 0.8 * (container - 1 + done / slices) / containers,
            "detecting plants, photo {photo} of {photos}, "
            "container {container} of {containers}, slice {slice} of {slices}",
            container=container,
            containers=containers,
            slice=done,
            slices=slices,
            **where,
        )

    counted = counter.count(pixels, report)

    def save(tx: Transaction) -> None:
        write_photo(tx.session, tx.session.get_one(Photo, photo.image_id), counted)

    return save


@step(lane="cpu")
def aggregate(task: Task, session_id: str) -> Save:
    """Add up the session; the count stands from here on. Then have the photos drawn."""
    failed = {
        UUID(child.args["image_id"]): child.error["message"]
        for child in task.children()
        if not child.ok
    }

    def save(tx: Transaction) -> None:
        photos = reading.session_row(tx.session, UUID(session_id))
        rows = reading.photo_rows(tx.session, photos.id)
        for row in rows:
            if row.image_id in failed:
                row.status, row.error_message = "failed", failed[row.image_id]
        tx.session.flush()
        totals.total(tx.session, photos)
        photos.processed_image_id = rows[0].image_id
        # After a retry only what was counted anew.
        tx.enqueue(*_drawings([row for row in rows if row.status == "counted"]))
        tx.result_of_run(
            session_id=session_id,
            total_detected=photos.total_detected,
            total_estimated=photos.total_estimated,
        )

    return save


@step(lane="cpu")
def draw(task: Task, image_id: str) -> Save:
    """Draw the count over its photo, as an AVIF of the photo's own size."""
    photo, photos = reading.photo_and_siblings(task.database, UUID(image_id))
    task.progress(0.0, "drawing photo {photo} of {photos}", photo=photo.position, photos=photos)
    with _original(task, photo) as path:
        pixels = images.load(path, max_pixels=task.settings.max_pixels)
    boxes, regions, legend = reading.overlays(task.database, photo.image_id)
    picture = drawing.draw(pixels, boxes, regions, legend)
    key = f"{Path(photo.s3_key_original).parent.as_posix()}/processed.avif"
    stored = _stored(task, picture, key)

    def save(tx: Transaction) -> None:
        row = tx.session.get_one(Photo, photo.image_id)
        asset = assets.record(tx.session, row.uploaded_by_user_id, stored, row.original_asset_id)
        row.s3_key_processed, row.processed_asset_id = key, asset.id
        row.status = "drawn"

    return save


def _drawings(photos: Sequence[Photo]) -> list[Call]:
    share = DRAWING / max(len(photos), 1)
    return [
        draw.call(label=photo.filename, share=share, image_id=str(photo.image_id))
        for photo in photos
    ]


def _keep(tx: Transaction, row: Photo, thumbnail: StoredFile, position: Position | None) -> None:
    """Write what was made of a photo before it is counted."""
    asset = assets.record(tx.session, row.uploaded_by_user_id, thumbnail, row.original_asset_id)
    row.s3_key_thumbnail, row.thumbnail_asset_id = thumbnail.key, asset.id
    row.gps_latitude, row.gps_longitude = position or (None, None)


def _prepare(task: Task, session_id: UUID, photo: Photo) -> tuple[StoredFile, Position | None]:
    """The stored thumbnail of a photo, and where it was taken."""
    with _original(task, photo) as path:
        found = images.inspect(path, photo.filename, max_pixels=task.settings.max_pixels)
        pixels = images.load(path, max_pixels=task.settings.max_pixels)
    small = images.shrunk(pixels, task.settings.counting.thumbnail_side)
    key = f"{folder(session_id, photo.position)}/thumbnail.avif"
    return _stored(task, small, key), gps.position_of(found.exif)


@contextmanager
def _original(task: Task, photo: Photo) -> Iterator[Path]:
    """The photo as it was uploaded, as a file for as long as the block lasts."""
    with _temp(task) as folder:
        path = folder / "original"
        task.resource(open_store).fetch(photo.s3_key_original, path)
        yield path


def _stored(task: Task, pixels: Pixels, key: str) -> StoredFile:
    """Encode a picture as AVIF and put it into the store."""
    chosen = task.settings.counting
    with _temp(task) as folder:
        path = folder / "picture.avif"
        images.save(
            pixels, path, images.AVIF, quality=chosen.image_quality, avif_speed=chosen.avif_speed
        )
        return assets.put(
            task.resource(open_store),
            path,
            mime=images.AVIF,
            key=key,
            pixels=(pixels.shape[1], pixels.shape[0]),
        )


@contextmanager
def _temp(task: Task) -> Iterator[Path]:
    task.settings.temp_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=task.settings.temp_dir) as folder:
        yield Path(folder)
