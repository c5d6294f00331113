"""Counting plants in nursery photos.

    ingest ─┬▶ detect (one a photo) ──▶ aggregate ──▶ draw (one a photo)
            ├▶ locate ──▶ detect … (where no location is sure: waits until somebody chooses one)
            └▶ compare (several photos: which of them show the same plants)

Nothing waits for `compare`. The count stands after `aggregate`; the drawings follow. What people
correct later is applied by `recount`, in a run of its own.
"""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from darkroom.counting import (
    counter,
    drawing,
    expected,
    overlap,
    overlaps,
    quality,
    reading,
    totals,
)
from darkroom.counting.bands import ContainerEstimate
from darkroom.counting.capture import Taken
from darkroom.counting.models import Photo
from darkroom.counting.overlap import Features
from darkroom.counting.overlaps import Pair
from darkroom.counting.places import locating
from darkroom.counting.places.locating import Position, Verdict
from darkroom.counting.review import estimating, recounting, scales
from darkroom.counting.review.recounting import Sheet
from darkroom.counting.service import folder
from darkroom.counting.stock import service as stock
from darkroom.counting.writing import write_photo
from darkroom.errors import Invalid, Permanent
from darkroom.gated import files, models
from darkroom.queue.calls import Call
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.storage import assets, images
from darkroom.storage.assets import StoredFile

DETECTING, AGGREGATING, DRAWING = 0.7, 0.05, 0.15
"""Shares of the run's progress; ingest makes the rest."""


@step(lane="io")
def ingest(task: Task, session_id: str) -> Save:
    """Make the thumbnails, read when and where the photos were taken, and have them counted.

    Where no location is sure, somebody has to choose one first.
    """
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
    verdict = _verdict(task, [taken.position for _, taken in prepared if taken.position])

    def save(tx: Transaction) -> None:
        for photo, (thumbnail, taken) in zip(photos, prepared, strict=True):
            _keep(tx, tx.session.get_one(Photo, photo.image_id), thumbnail, taken)
        _locate(tx, session_id, verdict)
        if len(photos) > 1:
            tx.enqueue(compare.call(session_id=session_id))

    return save


@step(lane="io")
def locate(task: Task, session_id: str) -> Save:
    """Have the photos counted now that somebody chose a location, or there may be a sure one."""
    task.progress(0.0, "looking up the location")
    photos = reading.photos_of(task.database, UUID(session_id))
    verdict = _verdict(task, locating.positions(photos))
    return lambda tx: _locate(tx, session_id, verdict)


@step(lane="cpu")
def compare(task: Task, session_id: str) -> Save | None:
    """Find which photos of a session show the same plants.

    The last attempt does nothing: for want of a warning no run fails, nor where photos that make
    the process die are tried again and again.
    """
    if task.lease.burned + 1 >= task.lease.max_attempts:
        return None
    photos = reading.photos_of(task.database, UUID(session_id))
    seen = _features(task, photos)
    found = []
    for one, other in overlap.pairs(len(seen)):
        task.checkpoint()
        if shared := overlap.overlap(seen[one][1], seen[other][1]):
            ids = seen[one][0].image_id, seen[other][0].image_id
            found.append(Pair(*ids, shared.share, shared.other_share))
    return lambda tx: overlaps.write(tx.session, photos[0].session_id, len(seen), found)


@step(lane="gpu")
def detect(task: Task, image_id: str) -> Save:
    """Count one photo: containers, the plants seen in them, the plants estimated beside them."""
    seen = reading.opened(task.database, UUID(image_id), task.settings)
    photo, chosen = seen.photo, seen.settings
    where = {"photo": photo.position, "photos": seen.photos}
    known = expected.parameters_of(task.database, photo, chosen.counting)
    eyes = counter.photo_counter(task, chosen, known)
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

    with files.pixels_of(task, photo.original_asset_id) as pixels:
        counted = eyes.count(pixels, report)
        reasons = quality.reasons(pixels, counted, chosen.counting.slice_size)
        colours = None if reasons else expected.learnt(pixels, counted, known)
    models.finished_image(task)

    def save(tx: Transaction) -> None:
        row = tx.session.get_one(Photo, photo.image_id)
        write_photo(tx.session, row, counted, reasons, known.error_scale)
        expected.remember(tx.session, row, colours)

    return save


@step(lane="cpu")
def aggregate(task: Task, session_id: str) -> Save:
    """Add up the session; the count stands from here on. Then have the photos drawn."""
    failed = {
        UUID(child.args["image_id"]): child.error["message"]
        for child in task.children()
        if not child.ok
    }
    first = reading.photos_of(task.database, UUID(session_id))[0]
    model = counter.model_version(reading.settings_of(task.database, first, task.settings))

    def save(tx: Transaction) -> None:
        photos = reading.session_row(tx.session, UUID(session_id))
        rows = reading.photo_rows(tx.session, photos.id)
        for row in rows:
            if row.image_id in failed:
                row.status, row.error_message = "failed", failed[row.image_id]
        tx.session.flush()
        totals.total(tx.session, photos, model)
        stock.enter_count(tx.session, photos, task.settings.counting.time_zone)
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
    seen = reading.opened(task.database, UUID(image_id), task.settings)
    photo = seen.photo
    where = {"photo": photo.position, "photos": seen.photos}
    task.progress(0.0, "drawing photo {photo} of {photos}", **where)
    drawn = reading.overlays(task.database, photo.image_id)
    key = f"{seen.folder}/processed.avif"
    with files.pixels_of(task, photo.original_asset_id) as picture:
        drawing.draw_over(picture, *drawn)
        stored = files.put_picture(task, picture, key)

    def save(tx: Transaction) -> None:
        row = tx.session.get_one(Photo, photo.image_id)
        asset = assets.record(tx.session, row.uploaded_by_user_id, stored, row.original_asset_id)
        row.s3_key_processed, row.processed_asset_id = key, asset.id
        row.status = "drawn"

    return save


@step(lane="cpu")
def recount(task: Task, session_id: str) -> Save | None:
    """Apply what people corrected on a count, and have the photos concerned drawn again."""
    read = recounting.opened(task.database, UUID(session_id))
    if read.user_id is None:
        return None
    reviewer = read.user_id
    estimates: dict[int, ContainerEstimate] = {}
    for number, sheet in enumerate(read.sheets, start=1):
        estimates |= _estimates(task, sheet, number, len(read.sheets))

    def save(tx: Transaction) -> None:
        photos = reading.session_row(tx.session, UUID(session_id))
        changed = recounting.apply(tx.session, photos, read, estimates)
        totals.total(tx.session, photos)
        scales.refit(tx.session)
        recounting.enter_stock(tx.session, photos, reviewer, task.settings.counting.time_zone)
        rows = [row for row in reading.photo_rows(tx.session, photos.id) if row.image_id in changed]
        for row in rows:
            row.status = "counted"
        tx.enqueue(*_drawings(rows))
        tx.result_of_run(session_id=session_id, total=photos.total)

    return save


def _estimates(task: Task, sheet: Sheet, number: int, sheets: int) -> dict[int, ContainerEstimate]:
    """The estimates of the containers that corrections of a photo reach into."""

    def report(container: int, containers: int) -> None:
        task.progress(
            (number - 1 + (container - 1) / containers) / sheets,
            "estimating again, photo {photo} of {photos}, container {container} of {containers}",
            photo=number,
            photos=sheets,
            container=container,
            containers=containers,
        )

    chosen = reading.settings_of(task.database, sheet.photo, task.settings)
    parameters = expected.parameters_of(task.database, sheet.photo, chosen.counting)
    with files.pixels_of(task, sheet.photo.original_asset_id) as pixels:
        return estimating.estimates(pixels, sheet.standing, sheet.corrected, parameters, report)


def _verdict(task: Task, positions: Sequence[Position]) -> Verdict:
    """Which location the photos of a session show, by where they were taken."""
    with task.database.session() as session:
        return locating.decide(session, positions, task.settings.counting.nearest_metres)


def _locate(tx: Transaction, session_id: str, verdict: Verdict) -> None:
    """Have the photos detected where their location is sure, else wait for a choice."""
    photos = reading.session_row(tx.session, UUID(session_id))
    if locating.settle(tx.session, photos, verdict):
        aggregation = aggregate.call(share=AGGREGATING, session_id=session_id)
        rows = reading.photo_rows(tx.session, photos.id)
        tx.fan_out(_detections(rows), then=aggregation)
    else:
        tx.enqueue(locate.call(at=locating.put_off(tx.session), session_id=session_id))
        locating.say_why(tx.session, photos.run_id)


def _detections(photos: Sequence[Photo]) -> list[Call]:
    share = DETECTING / len(photos)
    return [
        detect.call(label=photo.filename, share=share, image_id=str(photo.image_id))
        for photo in photos
    ]


def _drawings(photos: Sequence[Photo]) -> list[Call]:
    share = DRAWING / max(len(photos), 1)
    return [
        draw.call(label=photo.filename, share=share, image_id=str(photo.image_id))
        for photo in photos
    ]


def _features(task: Task, photos: Sequence[Photo]) -> list[tuple[Photo, Features]]:
    """What is compared of the photos that can be opened."""
    seen = []
    for photo in photos:
        task.checkpoint()
        source = files.original(task, photo.original_asset_id)
        with suppress(Invalid, Permanent), source as path:
            small, _ = images.thumbnail(path, overlap.SIDE, max_pixels=task.settings.max_pixels)
            seen.append((photo, overlap.features(small)))
    return seen


def _keep(tx: Transaction, row: Photo, thumbnail: StoredFile, taken: Taken) -> None:
    """Write what was made of a photo, and what its EXIF says, before it is counted."""
    asset = assets.record(tx.session, row.uploaded_by_user_id, thumbnail, row.original_asset_id)
    row.s3_key_thumbnail, row.thumbnail_asset_id = thumbnail.key, asset.id
    row.gps_latitude, row.gps_longitude = taken.position or (None, None)
    row.captured_at = taken.captured_at


def _prepare(task: Task, session_id: UUID, photo: Photo) -> tuple[StoredFile, Taken]:
    """The stored thumbnail of a photo, and when and where it was taken."""
    asset, side = photo.original_asset_id, task.settings.counting.thumbnail_side
    with files.with_room(task, asset) as path:
        small, exif = images.thumbnail(path, side, max_pixels=task.settings.max_pixels)
    key = f"{folder(session_id, photo.position)}/thumbnail.avif"
    return files.put_picture(task, small, key), Taken.of(exif)
