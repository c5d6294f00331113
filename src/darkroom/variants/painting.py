"""Having a variant made: one service after the other, until one makes it."""

import logging
from collections.abc import Callable, Sequence

from darkroom.errors import DarkroomError, NotNow, Permanent, Transient
from darkroom.providers import painters
from darkroom.providers.buying import Bought, buy
from darkroom.providers.gemini import Options
from darkroom.providers.painters import Wish
from darkroom.providers.pictures import Picture, Reply
from darkroom.queue.task import Task
from darkroom.variants.orders import Order
from darkroom.variants.slots import order_of

log = logging.getLogger(__name__)

OPERATION, PACE = "edit", "variants"


def painted(
    task: Task, order: Order, pictures: Sequence[Picture], begin: Callable[[], None]
) -> Bought:
    """The answer with the variant: the one there is, or else one that is bought now.

    A service that is out of order (its breaker is open, its quota used up, its models gone) is
    passed over for the next; a passing fault only in the last attempt, for before it the same
    service is tried again. What a service refuses by its rules is not taken to another.

    Parameters
    ----------
    begin
        Called when a service is about to be asked.

    Raises
    ------
    DarkroomError
        When nobody makes it: what the first one said.
    """
    wish = Wish(
        order.prompt,
        pictures,
        Options(temperature=order.temperature, seed=order.seed),
    )
    first: DarkroomError | None = None
    for provider in order_of(order.provider):
        try:
            return _bought(task, order, provider, wish, begin)
        except (NotNow, Permanent, Transient) as error:
            if not _passes_over(task, error):
                raise
            log.info("%s makes no variant now: %s", provider, error)
            first = first or error
    assert first is not None
    raise first


def _passes_over(task: Task, error: DarkroomError) -> bool:
    if isinstance(error, NotNow):
        return error.kind == "breaker"
    is_last = task.lease.burned + 1 >= task.lease.max_attempts
    return isinstance(error, Permanent) or (isinstance(error, Transient) and is_last)


def _bought(
    task: Task, order: Order, provider: str, wish: Wish, begin: Callable[[], None]
) -> Bought:
    ask = painters.asking(task, provider, wish)

    def asked(model: str) -> Reply:
        begin()
        return ask(model)

    return buy(
        task,
        provider=provider,
        operation=OPERATION,
        key=order.answer_key,
        models=painters.models(task, provider),
        ask=asked,
        pace=PACE,
    )
