"""Pictures made of words: bought once for each wish, and kept for whoever asks for the same.

generate ──▶ it is there, or another makes it ──▶ that one
    │
    └──▶ buy ──▶ shape ──▶ keep
"""

from uuid import UUID

from darkroom.gated.pictures import Wanting
from darkroom.media import requests
from darkroom.media.generation import cache, painting, parameters
from darkroom.media.generation.parameters import Parameters
from darkroom.media.requests import Order
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction


@step(lane="io")
def generate(task: Task, request_id: str) -> Save:
    """Have a picture made, unless the same one is there, or is being made."""
    order = requests.load(task.database, UUID(request_id))
    wish = parameters.stored(order.asked, task.settings.providers)
    flight = cache.take(task.database, wish, task.lease.attempt_id)
    if flight is None:
        return _there(order, wish)
    task.progress(0.1, "having the picture made")
    answer = painting.bought(task, wish, flight)
    task.progress(0.8, "storing the picture")
    try:
        taken = painting.stored(task, wish, flight, answer)
    except Wanting:
        cache.reject(task.database, flight)
        raise

    def save(tx: Transaction) -> None:
        made = cache.keep(tx.session, flight, order.owner_id, taken)
        requests.finish(tx, order, made.result(cached=False), made.files, made.engine)

    return save


def _there(order: Order, wish: Parameters) -> Save:
    def save(tx: Transaction) -> None:
        kept = cache.hit(tx.session, wish.key)
        if kept is None:
            raise cache.not_yet(tx.session, wish.key)
        requests.finish(tx, order, kept.result(cached=True), kept.files, kept.engine)

    return save
