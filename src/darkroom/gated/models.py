"""Models as steps use them: in turn, behind their breaker, from the cache all pipelines share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from darkroom.gated import seats
from darkroom.queue.gates.call import calling
from darkroom.queue.task import Task
from darkroom.vision.cache import Model, model_cache

T = TypeVar("T")

PROVIDER = "models"


@contextmanager
def using(task: Task, model: Model[T], operation: str) -> Iterator[T]:
    """The loaded model, for this step alone as long as the block lasts.

    What goes wrong in loading or using it counts against the breaker of the operation.

    Raises
    ------
    NotNow
        When another process has its turn at the device, or that breaker is open.
    """
    cache = task.resource(model_cache)
    with (
        seats.turn(task, task.resource(seats.seat), cache),
        calling(task, provider=PROVIDER, operation=operation),
        cache.using(model) as loaded,
    ):
        yield loaded


def load(task: Task, model: Model[T], operation: str) -> None:
    """Load the model if it is not, and say that this is what the step waits for."""
    if not task.resource(model_cache).holds(model):
        task.progress(0.0, "loading the models")
        with using(task, model, operation):
            pass


def finished_image(task: Task) -> None:
    """Say that an image is done: after every so many the device's own cache is emptied."""
    task.resource(model_cache).finished_image()
