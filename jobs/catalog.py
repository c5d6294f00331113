"""Editing the pictures of a catalog's articles.

    fetch (one an address, of an import) ──▶ follow ──▶ edit (one an article, paced) ──▶ conclude

The answer is kept before anything is done with it, the new picture stored before the old one could
be removed; the old one stays, for going back to it, until upkeep removes it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from darkroom.catalog import budgets, likeness, orders, pausing, queueing, receiving
from darkroom.catalog.orders import NewPicture, Order
from darkroom.errors import DarkroomError, NotNow, Permanent
from darkroom.gated import files, pictures
from darkroom.gated.pictures import Wanting
from darkroom.providers import cloudinary, fetching, gemini, prices
from darkroom.providers.buying import Bought, buy
from darkroom.providers.calls import calling_provider
from darkroom.providers.gemini import Options
from darkroom.providers.pictures import Picture, Reply
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.storage import assets, images, temporary
from darkroom.storage.assets import StoredFile
from darkroom.storage.images import Pixels

PROVIDER, OPERATION, PACE = "gemini", "edit", "catalog"
SENT_SIDE = 3072
"""Longer side of what goes out: reduced, and telling nobody where it was taken."""
SUFFIXES = {images.JPEG: "jpg", images.PNG: "png", images.WEBP: "webp"}


@step(lane="io")
def edit(task: Task, edit_id: int) -> Save | None:
    """Have one article's picture edited, and make the new one the article's."""
    order = orders.load(task.database, edit_id)
    if order is None:
        return None
    with _put_back_on_failure(task, order):
        pausing.insist(task.database)
        task.progress(0.05, "reading the picture of {article}", article=order.name)
        with files.original(task, order.asset_id) as before:
            task.progress(0.1, "waiting for the edited picture of {article}", article=order.name)
            bought = _bought(task, order, before)
        # An answer that was there already went through nobody's hands yet in this attempt.
        orders.begin(task.database, order, task.lease)
        task.progress(0.8, "storing the new picture of {article}", article=order.name)
        with _rejected_if_wanting(task, order, bought):
            made = _stored(task, order, gemini.picture(bought.body))

    def save(tx: Transaction) -> None:
        owner = task.lease.owner_id or 0
        asset = assets.record(tx.session, owner, made.file, order.asset_id)
        orders.finish(tx.session, order, made, asset, bought)
        tx.result(edit_id=order.edit_id, url=made.url)

    return save


@step(lane="io")
def conclude(task: Task) -> Save:
    """Say in the run's result how its edits ended: that some failed does not stop the others."""

    def save(tx: Transaction) -> None:
        tx.result_of_run(**queueing.outcome(tx.session, task.run_id))

    return save


@step(lane="io")
def fetch(task: Task, article_id: int, url: str) -> Save:
    """Get an article's picture from the web."""
    task.progress(0.1, "fetching {url}", url=url)
    stored = _fetched(task, article_id, url)

    def save(tx: Transaction) -> None:
        receiving.keep(tx.session, article_id, stored, task.lease.owner_id or 0)

    return save


@step(lane="io")
def forget(task: Task, public_ids: list[str]) -> None:
    """Have Cloudinary remove the pictures of an article that was deleted."""
    if task.settings.providers.cloudinary is None:
        raise Permanent("Its pictures stay at Cloudinary: no account is set (CLOUDINARY_URL).")
    for public_id in public_ids:
        with calling_provider(task, "cloudinary", "destroy"):
            task.resource(cloudinary.connect).destroy(public_id)


@step(lane="io")
def follow(task: Task, share: float) -> Save:
    """Have the pictures edited that have arrived from the web."""
    arrived = [child.args["article_id"] for child in task.children() if child.ok]

    def save(tx: Transaction) -> None:
        queueing.follow(tx, arrived, share)

    return save


def _fetched(task: Task, article_id: int, url: str) -> StoredFile:
    limit = task.settings.max_upload_bytes
    with temporary.folder(task.settings.temp_dir) as folder:
        path = folder / "picture"
        fetching.fetch(url, path, max_bytes=limit, private=task.settings.fetch_private)
        info = images.inspect(path, "", max_pixels=task.settings.max_pixels, field="imagen")
        key = f"catalog/{article_id}/fetched-{task.lease.job_id}.{SUFFIXES[info.mime]}"
        size = (info.width, info.height)
        return files.put(task, path, mime=info.mime, key=key, pixels=size)


@contextmanager
def _put_back_on_failure(task: Task, order: Order) -> Iterator[None]:
    """Let the queue show an edit that failed for now, or has to wait, as one that waits."""
    try:
        yield
    except Wanting:
        raise
    except NotNow:
        orders.put_back(task.database, order, task.lease, None)
        raise
    except DarkroomError as error:
        orders.put_back(task.database, order, task.lease, error.message)
        raise


@contextmanager
def _rejected_if_wanting(task: Task, order: Order, bought: Bought) -> Iterator[None]:
    """Let the edit's next try buy another answer where this one is of no use."""
    try:
        yield
    except Wanting as error:
        orders.reject(task.database, order, task.lease, error.message, bought)
        raise


def _bought(task: Task, order: Order, before: Path) -> Bought:
    service = task.resource(gemini.connect)

    def ask(model: str) -> Reply:
        budgets.insist(task.database, task.lease, _price(task, model))
        orders.begin(task.database, order, task.lease)
        # Here, behind the gates, one is decoded at a time.
        sent = Picture(files.reduced(task, before, SENT_SIDE), images.JPEG)
        return service.edit(model, order.prompt, [sent], Options(temperature=0.1))

    return buy(
        task,
        provider=PROVIDER,
        operation=OPERATION,
        key=order.answer_key,
        models=task.settings.providers.gemini.models["image"],
        ask=ask,
        pace=PACE,
    )


def _price(task: Task, model: str) -> Decimal:
    return prices.estimate(task.settings.providers, PROVIDER, [model])


def _stored(task: Task, order: Order, picture: Picture) -> NewPicture:
    """The new picture, found good, in our storage; and at Cloudinary, if there is an account."""
    with temporary.folder(task.settings.temp_dir) as folder:
        path = folder / "picture"
        path.write_bytes(picture.data)
        mime, pixels = pictures.opened(path, max_pixels=task.settings.max_pixels)
        distance = _distance(task, order, pixels)
        key = f"catalog/{order.article_id}/{order.answer_key}.{SUFFIXES[mime]}"
        size = (pixels.shape[1], pixels.shape[0])
        stored = files.put(task, path, mime=mime, key=key, pixels=size)
    if task.settings.providers.cloudinary is None:
        return NewPicture(stored, "", None, distance)
    with calling_provider(task, "cloudinary", "upload"):
        service = task.resource(cloudinary.connect)
        uploaded = service.upload(Picture(picture.data, mime), f"darkroom/{order.answer_key}")
    return NewPicture(stored, uploaded.url, uploaded.public_id, distance)


def _distance(task: Task, order: Order, after: Pixels) -> float:
    """How far the new picture is from the old one; `Wanting` when it shows something else."""
    limit = task.settings.max_pixels
    with files.original(task, order.asset_id) as path:
        before, _ = images.thumbnail(path, likeness.POINTS_SIDE, max_pixels=limit)
    return likeness.insist(before, after, task.settings.catalog.most_distance)
