"""Enlarging: one step a request, for a picture or for a short video."""

from uuid import UUID

from darkroom.media import requests
from darkroom.media.enhancing import films, pictures
from darkroom.media.enhancing.result import Enhanced
from darkroom.media.requests import Order
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction


@step(lane="gpu")
def enlarge(task: Task, request_id: str) -> Save:
    """Enlarge a picture."""
    order = requests.load(task.database, UUID(request_id))
    return _finishing(order, pictures.enlarged(task, order))


@step(lane="gpu")
def film(task: Task, request_id: str) -> Save:
    """Enlarge a short video, frame by frame."""
    order = requests.load(task.database, UUID(request_id))
    return _finishing(order, films.enlarged(task, order))


def _finishing(order: Order, made: Enhanced) -> Save:
    def save(tx: Transaction) -> None:
        requests.finish(tx, order, made.result, made.files, made.engine)

    return save
