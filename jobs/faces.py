"""Face swap: one step a request."""

from uuid import UUID

from darkroom.media import requests
from darkroom.media.faces import swapping
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction


@step(lane="gpu")
def swap(task: Task, request_id: str) -> Save:
    """Put the face of one picture into another."""
    order = requests.load(task.database, UUID(request_id))
    made = swapping.swapped(task, order)

    def save(tx: Transaction) -> None:
        requests.finish(tx, order, made.result, made.files, made.engine)

    return save
