"""Variants of a photo: shoot, pocket, review, unlock.

    analyse (once a photo) ──▶ generate (one a slot, paced) ──▶ ready ──▶ tell
    mend ──▶ enlarge                                       (an unlock: a run of its own)

A slot that fails takes no other along. What a service sent is kept before anything is done with
it. An unlock is paid for in the transaction that ends its run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from darkroom.alerts import Alert, mail
from darkroom.errors import DarkroomError, NotNow
from darkroom.gated import files
from darkroom.gated.pictures import Wanting, opened
from darkroom.providers import gemini
from darkroom.providers.buying import Bought, buy
from darkroom.providers.pictures import Picture
from darkroom.queue.step import Retry, Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.storage import assets, images, temporary
from darkroom.storage.assets import StoredFile
from darkroom.storage.images import Pixels
from darkroom.variants import (
    analysis,
    checking,
    enlarging,
    finishing,
    notices,
    orders,
    painting,
    previews,
    slots,
    tools,
    unlocking,
)
from darkroom.variants.orders import Made, Order, Shown

SHOWN_SIDE, SENT_SIDE, THUMBNAIL_SIDE, LAID_SIDE = 1536, 3072, 480, 4096
"""Longer sides: of what is looked at, of what is sent to be edited, of what lists show, and of the
photo that a variant's texts are compared with."""
PREVIEW_QUALITY, FINAL_QUALITY = 80, 95
SUFFIXES = {images.JPEG: "jpg", images.PNG: "png", images.WEBP: "webp"}


@step(lane="io")
def analyse(task: Task, upload_id: str) -> Save | None:
    """Have a photo looked at, unless it was before, and begin its variants."""
    photo = orders.shown(task.database, UUID(upload_id))
    if photo is None:
        return None
    task.progress(0.1, "looking at the photo")
    small = None if photo.has_thumbnail else _thumbnail(task, photo)
    found = photo.analysis or _looked_at(task, photo)

    def save(tx: Transaction) -> None:
        if photo.analysis is None:
            orders.seen(tx.session, photo.upload_id, found)
        if small is not None:
            asset = assets.record(tx.session, photo.owner_id, small, photo.asset_id)
            orders.thumbnail(tx.session, photo.upload_id, asset)
        wanted = orders.waiting(tx.session, task.run_id)
        calls = [
            generate.call(label=each.variant, share=0.85 / len(wanted), generation_id=str(each.id))
            for each in wanted
        ]
        if calls:
            tx.fan_out(calls, ready.call(share=0.05, upload_id=upload_id))

    return save


@step(lane="io")
def generate(task: Task, generation_id: str) -> Save | None:
    """Have one variant made, and keep it with the preview that is shown of it."""
    at_start = task.settings.tokens.at_start
    order = orders.load(task.database, UUID(generation_id), task.run_id, at_start)
    if order is None:
        return None
    with _put_back_on_failure(task, order):
        task.progress(0.05, "waiting for the {variant} variant", variant=order.variant)
        photo = checking.sent(task, order.asset_id, SENT_SIDE)
        bought = painting.painted(
            task,
            order,
            [photo, *checking.references(task, order, SENT_SIDE)],
            lambda: orders.begin(task.database, order, task.lease),
        )
        task.progress(0.7, "checking the {variant} variant", variant=order.variant)
        picture = painting.picture_of(task, bought)
        clean, preview, checks = _finished(task, order, picture)

    def save(tx: Transaction) -> None:
        kept = assets.record(tx.session, order.owner_id, clean, order.asset_id)
        seen = assets.record(tx.session, order.owner_id, preview, kept.id)
        orders.finish(tx.session, order, Made(kept, seen, checks), bought)

    return save


@step(lane="io")
def ready(task: Task, upload_id: str) -> Save:
    """All variants of a batch have ended: have their owner told, if they want to be."""

    def save(tx: Transaction) -> None:
        made, failed = orders.ended(tx.session, task.run_id)
        tx.result_of_run(upload_id=upload_id, variants=made, failed=failed)
        address = notices.address(tx.session, UUID(upload_id))
        if address is not None:
            tx.enqueue(tell.call(label=address, upload_id=upload_id, address=address, made=made))

    return save


@step(lane="io", retry=Retry(attempts=8))
def tell(task: Task, upload_id: str, address: str, made: int) -> Save | None:
    """Tell the owner by e-mail how many variants are ready, where there is a mail server."""
    settings = task.settings.alerts
    if settings.smtp_host is None:
        return None
    with task.database.session() as session:
        language = notices.words(session, UUID(upload_id), task.settings.cache_dir)
    link = f"{task.settings.web.address}/variants/{upload_id}"
    subject, said = notices.message(made, link, language)
    alert = Alert(subject, said, key=f"variants-{task.lease.job_id}")
    mail.send(replace(settings, email_to=(address,)), settings.smtp_host, alert)
    return lambda tx: tx.result(delivered=True)


@step(lane="cpu")
def mend(task: Task, unlock_id: str) -> Save | None:
    """Put the texts of a variant right, and hand it over unless it is to be enlarged, too."""
    wanted = unlocking.load(task.database, UUID(unlock_id), task.settings.tokens.at_start)
    if wanted is None:
        return None
    task.progress(0.1, "comparing the texts with the photo's")
    before = _laid_beside(task, wanted.photo_id)
    with files.pixels_of(task, wanted.clean_id) as after:
        mended = finishing.mended(before, after, task.resource(tools.reader))
    stored = None
    if mended.is_changed:
        task.progress(0.8, "storing the mended picture")
        stored = _stored(task, mended.pixels, wanted.key("mended"), wanted.mime)

    def save(tx: Transaction) -> None:
        kept = None
        if stored is not None:
            kept = assets.record(tx.session, wanted.owner_id, stored, wanted.clean_id)
        unlocking.keep_mended(tx.session, wanted, kept, mended.report)
        if wanted.with_upscale:
            tx.enqueue(enlarge.call(share=0.8, unlock_id=unlock_id))
        else:
            tx.result_of_run(**unlocking.deliver(tx.session, wanted))

    return save


@step(lane="gpu")
def enlarge(task: Task, unlock_id: str) -> Save | None:
    """Enlarge a variant to 8K, and hand it over."""
    wanted = unlocking.load(task.database, UUID(unlock_id), task.settings.tokens.at_start)
    if wanted is None:
        return None
    with (
        files.pixels_of(task, wanted.base_id) as pixels,
        temporary.folder(task.settings.temp_dir) as folder,
    ):
        large = enlarging.enlarged(task, pixels, folder)
        task.progress(0.95, "storing the enlarged picture")
        stored = _stored(task, large.pixels, wanted.key("8k"), images.JPEG)

    def save(tx: Transaction) -> None:
        final = assets.record(tx.session, wanted.owner_id, stored, wanted.clean_id)
        unlocking.keep_enlarged(tx.session, wanted, final, large.report)
        tx.result_of_run(**unlocking.deliver(tx.session, wanted))

    return save


@contextmanager
def _put_back_on_failure(task: Task, order: Order) -> Iterator[None]:
    """Let the archives show a variant that failed for now as one that waits."""
    try:
        yield
    except NotNow:
        raise
    except Wanting as error:
        orders.put_back(task.database, order, task.lease, error.message, rejected=True)
        raise
    except DarkroomError as error:
        orders.put_back(task.database, order, task.lease, error.message)
        raise


def _laid_beside(task: Task, photo_id: UUID) -> Pixels:
    """The photo, no larger than any variant needs it.

    Its room is given back before the variant's is asked for: who holds one while waiting for the
    other may wait for ever.
    """
    limit = task.settings.max_pixels
    with files.with_room(task, photo_id) as path:
        pixels, _ = images.thumbnail(path, LAID_SIDE, max_pixels=limit)
        return pixels


def _looked_at(task: Task, photo: Shown) -> analysis.Analysis:
    sandboxed = task.settings.providers.sandboxed
    if "gemini" in sandboxed and not slots.is_trial(sandboxed):
        # What the sandbox makes up is nothing to be asked of real services.
        return analysis.read({})
    return analysis.read(gemini.data(_told(task, photo).body))


def _told(task: Task, photo: Shown) -> Bought:
    service = task.resource(gemini.connect)
    picture = checking.sent(task, photo.asset_id, SHOWN_SIDE)
    return buy(
        task,
        provider="gemini",
        operation="look",
        key=f"variants-look-{photo.upload_id}",
        models=task.settings.providers.gemini.models["text"],
        ask=lambda model: service.tell(
            model, analysis.QUESTION, [picture], schema=analysis.SCHEMA, temperature=0.0
        ),
    )


def _thumbnail(task: Task, photo: Shown) -> StoredFile:
    with files.original(task, photo.asset_id) as path:
        pixels, _ = images.thumbnail(path, THUMBNAIL_SIDE, max_pixels=task.settings.max_pixels)
    return _stored(task, pixels, f"variants/{photo.upload_id}/thumbnail.webp", images.WEBP)


def _finished(
    task: Task, order: Order, picture: Picture
) -> tuple[StoredFile, StoredFile, list[orders.Json]]:
    """A variant that is fit to be shown, as it came and as a preview, and how its anchors held."""
    folder_key = f"variants/{order.upload_id}/{order.answer_key}"
    with temporary.folder(task.settings.temp_dir) as folder:
        path = folder / "picture"
        path.write_bytes(picture.data)
        mime, pixels = opened(path, max_pixels=task.settings.max_pixels)
        checks = checking.checked(task, order, pixels)
        size = (pixels.shape[1], pixels.shape[0])
        clean = files.put(
            task, path, mime=mime, key=f"{folder_key}/clean.{SUFFIXES[mime]}", pixels=size
        )
    shown = previews.preview(pixels, task.settings.variants.preview_side)
    preview = _stored(task, shown, f"{folder_key}/preview.webp", images.WEBP, PREVIEW_QUALITY)
    return clean, preview, checks


def _stored(
    task: Task, pixels: Pixels, key: str, mime: str, quality: int = FINAL_QUALITY
) -> StoredFile:
    with temporary.folder(task.settings.temp_dir) as folder:
        path: Path = folder / "picture"
        images.save(pixels, path, mime, quality=quality)
        size = (pixels.shape[1], pixels.shape[0])
        return files.put(task, path, mime=mime, key=key, pixels=size)
