"""Holding a variant against its Smart Anchors, with the files that takes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from darkroom.gated import files
from darkroom.providers.pictures import Picture
from darkroom.queue.task import Task
from darkroom.storage import images
from darkroom.storage.images import Pixels
from darkroom.variants import checks, tools
from darkroom.variants.checks import Tools
from darkroom.variants.orders import Order
from darkroom.variants.references import own

LOOKED_AT_SIDE = 2048


def sent(task: Task, asset_id: UUID, side: int) -> Picture:
    """A stored picture as it goes out."""
    with files.original(task, asset_id) as path:
        return Picture(files.reduced(task, path, side), images.JPEG)


def references(task: Task, order: Order, side: int) -> list[Picture]:
    """The pictures that the anchors show the model beside the photo."""
    return [sent(task, asset_id, side) for asset_id in _owned(task, order)]


def checked(task: Task, order: Order, variant: Pixels) -> list[dict[str, Any]]:
    """How each anchor held."""
    if not order.anchors:
        return []
    original = _pixels(task, order.asset_id)
    known = Tools(task.resource(tools.reader), _references(task, order), task.resource(tools.faces))
    return [checks.check(each, original, variant, known).as_json for each in order.anchors]


def _references(task: Task, order: Order) -> Mapping[UUID, Pixels]:
    return {asset_id: _pixels(task, asset_id) for asset_id in _owned(task, order)}


def _pixels(task: Task, asset_id: UUID) -> Pixels:
    with files.original(task, asset_id) as path:
        pixels, _ = images.thumbnail(path, LOOKED_AT_SIDE, max_pixels=task.settings.max_pixels)
        return pixels


def _owned(task: Task, order: Order) -> list[UUID]:
    """The reference pictures that are there, and the person's own."""
    with task.database.session() as session:
        return [asset.id for asset in own(session, order.owner_id, order.anchors)]
