"""Portraits that speak: one step a request."""

from uuid import UUID

from darkroom.media import requests
from darkroom.media.portraits import animating
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction


@step(lane="gpu")
def animate(task: Task, request_id: str) -> Save:
    """Make a video of a portrait and a recording."""
    order = requests.load(task.database, UUID(request_id))
    made = animating.filmed(task, order)

    def save(tx: Transaction) -> None:
        requests.finish(tx, order, made.result, made.files, made.engine)

    return save
