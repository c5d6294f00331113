"""Editing the pictures of a catalog's articles.

    edit (one an article, paced)

The answer is kept before anything is done with it, the new picture stored before the old one could
be removed; the old one stays, for going back to it, until upkeep removes it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from darkroom.catalog import orders, pictures
from darkroom.catalog.orders import NewPicture, Order
from darkroom.catalog.pictures import Wanting
from darkroom.errors import DarkroomError, NotNow
from darkroom.gated import files
from darkroom.providers import cloudinary, gemini
from darkroom.providers.buying import Bought, buy
from darkroom.providers.calls import calling_provider
from darkroom.providers.gemini import Options
from darkroom.providers.pictures import Picture, Reply
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.storage import assets, images, temporary
from darkroom.storage.assets import StoredFile

PROVIDER, OPERATION, PACE = "gemini", "edit", "catalog"
SUFFIXES = {images.JPEG: "jpg", images.PNG: "png", images.WEBP: "webp"}


@step(lane="io")
def edit(task: Task, edit_id: int) -> Save | None:
    """Have one article's picture edited, and make the new one the article's."""
    order = orders.load(task.database, edit_id)
    if order is None:
        return None
    with _put_back_on_failure(task, order):
        task.progress(0.05, "reading the picture of {article}", article=order.name)
        before = _picture(task, order)
        task.progress(0.1, "waiting for the edited picture of {article}", article=order.name)
        bought = _bought(task, order, before)
        task.progress(0.8, "storing the new picture of {article}", article=order.name)
        stored, url, public_id = _stored(task, order, gemini.picture(bought.body))

    def save(tx: Transaction) -> None:
        owner = task.lease.owner_id or 0
        asset = assets.record(tx.session, owner, stored, order.asset_id)
        orders.finish(tx.session, order, NewPicture(asset, url, public_id), bought)
        tx.result(edit_id=order.edit_id, url=url)

    return save


@contextmanager
def _put_back_on_failure(task: Task, order: Order) -> Iterator[None]:
    """Let the queue show an edit that failed for now as one that waits."""
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


def _picture(task: Task, order: Order) -> Picture:
    with files.original(task, order.asset_id) as path:
        return Picture(path.read_bytes(), order.mime)


def _bought(task: Task, order: Order, before: Picture) -> Bought:
    service = task.resource(gemini.connect)

    def ask(model: str) -> Reply:
        orders.begin(task.database, order, task.lease)
        return service.edit(model, order.prompt, [before], Options(temperature=0.1))

    return buy(
        task,
        provider=PROVIDER,
        operation=OPERATION,
        key=order.answer_key,
        models=task.settings.providers.gemini.models["image"],
        ask=ask,
        pace=PACE,
    )


def _stored(task: Task, order: Order, picture: Picture) -> tuple[StoredFile, str, str | None]:
    """The new picture in our storage, and where people find it: Cloudinary's address, if set."""
    with temporary.folder(task.settings.temp_dir) as folder:
        path = folder / "picture"
        path.write_bytes(picture.data)
        mime, pixels = pictures.opened(path, max_pixels=task.settings.max_pixels)
        key = f"catalog/{order.article_id}/{order.answer_key}.{SUFFIXES[mime]}"
        size = (pixels.shape[1], pixels.shape[0])
        stored = files.put(task, path, mime=mime, key=key, pixels=size)
    if task.settings.providers.cloudinary is None:
        return stored, "", None
    with calling_provider(task, "cloudinary", "upload"):
        service = task.resource(cloudinary.connect)
        uploaded = service.upload(Picture(picture.data, mime), f"darkroom/{order.answer_key}")
    return stored, uploaded.url, uploaded.public_id
