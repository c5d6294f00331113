"""Having a variant made: one service after the other, until one makes it."""

import logging
from collections.abc import Callable, Sequence

from darkroom.errors import DarkroomError, Invalid, NotNow, Permanent, Transient
from darkroom.gated.pictures import Wanting
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
    for provider in order_of(order.provider, task.settings.providers.sandboxed):
        try:
            return _bought(task, order, provider, wish, begin)
        except (NotNow, Permanent, Transient) as error:
            if not _passes_over(task, error):
                raise
            log.info("%s makes no variant now: %s", provider, error)
            first = first or error
    assert first is not None
    raise first


def picture_of(task: Task, bought: Bought) -> Picture:
    """The picture that was bought.

    Raises
    ------
    Wanting
        When it is hosted elsewhere and is not to be had there (any more).
    """
    try:
        return painters.picture_of(task, bought)
    except (Invalid, Transient) as error:
        if isinstance(error, Transient) and not _is_last(task):
            raise
        raise Wanting(f"The new picture cannot be fetched: {error.message}") from error


def _passes_over(task: Task, error: DarkroomError) -> bool:
    if isinstance(error, NotNow):
        return error.kind == "breaker"
    return isinstance(error, Permanent) or (isinstance(error, Transient) and _is_last(task))


def _is_last(task: Task) -> bool:
    return task.lease.burned + 1 >= task.lease.max_attempts


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
