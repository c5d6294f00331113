"""Having a picture made of a prompt, or of another picture and a prompt."""

from collections.abc import Sequence
from uuid import UUID

from darkroom.gated import files
from darkroom.gated.pictures import opened
from darkroom.providers import painters
from darkroom.providers.buying import Bought, buy
from darkroom.providers.painters import Wish
from darkroom.providers.pictures import Picture
from darkroom.publishing.orders import Order
from darkroom.queue.task import Task
from darkroom.storage import images, temporary
from darkroom.storage.assets import StoredFile

QUALITY = 90


def made(task: Task, order: Order) -> Bought:
    """The answer with the picture: the one there is, or else one that is bought now.

    Raises
    ------
    DarkroomError
        What `buy` raises.
    """
    provider = task.settings.publishing.provider
    return buy(
        task,
        provider=provider,
        operation="generate" if order.source_asset_id is None else "edit",
        key=order.answer_key,
        models=painters.models(task, provider),
        ask=painters.asking(task, provider, Wish(order.prompt, _sources(task, order))),
    )


def stored(task: Task, order: Order, bought: Bought) -> StoredFile:
    """The picture as a JPEG without metadata: WordPress would make captions of that.

    Raises
    ------
    Wanting
        When the answer holds no picture that can be shown.
    """
    with temporary.folder(task.settings.temp_dir) as folder:
        came, jpeg = folder / "came", folder / "picture.jpg"
        came.write_bytes(painters.picture_of(task, bought).data)
        _, pixels = opened(came, max_pixels=task.settings.max_pixels)
        images.save(pixels, jpeg, images.JPEG, quality=QUALITY)
        key = f"publishing/{order.publication_id}/{order.answer_key}.jpg"
        size = (pixels.shape[1], pixels.shape[0])
        return files.put(task, jpeg, mime=images.JPEG, key=key, pixels=size)


def picture_of(task: Task, asset_id: UUID) -> Picture:
    """A stored picture as it goes out."""
    with files.original(task, asset_id) as path:
        return Picture(path.read_bytes(), images.JPEG)


def _sources(task: Task, order: Order) -> Sequence[Picture]:
    return [picture_of(task, order.source_asset_id)] if order.source_asset_id else []
