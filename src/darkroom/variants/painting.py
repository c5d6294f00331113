"""Having a variant made: one service after the other, until one makes it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from darkroom.errors import DarkroomError, Invalid, NotNow, Permanent, Transient
from darkroom.providers import fetching, gemini, laozhang, openai
from darkroom.providers.buying import Ask, Bought, buy
from darkroom.providers.gemini import Gemini
from darkroom.providers.laozhang import LaoZhang
from darkroom.providers.pictures import Picture, Reply
from darkroom.queue.task import Task
from darkroom.variants.orders import Order
from darkroom.variants.slots import order_of

log = logging.getLogger(__name__)

OPERATION, PACE = "edit", "variants"
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Wish:
    """What every service is asked for, each in its own words."""

    prompt: str
    pictures: Sequence[Picture]
    options: gemini.Options


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
        gemini.Options(temperature=order.temperature, seed=order.seed),
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


def picture_of(task: Task, bought: Bought) -> Picture:
    """The picture in an answer; one that is hosted elsewhere is fetched."""
    if bought.provider == "openai":
        return openai.pictures(bought.body)[0]
    if bought.provider == "gemini":
        return gemini.picture(bought.body)
    folder = task.settings.temp_dir

    def fetch(url: str) -> Picture:
        return fetching.fetch_picture(url, folder, max_bytes=MAX_BYTES, private=bought.is_sandbox)

    return laozhang.picture(bought.body, fetch)


def _passes_over(task: Task, error: DarkroomError) -> bool:
    if isinstance(error, NotNow):
        return error.kind == "breaker"
    is_last = task.lease.burned + 1 >= task.lease.max_attempts
    return isinstance(error, Permanent) or (isinstance(error, Transient) and is_last)


def _bought(
    task: Task, order: Order, provider: str, wish: Wish, begin: Callable[[], None]
) -> Bought:
    ask = _ask(task, provider, wish)

    def asked(model: str) -> Reply:
        begin()
        return ask(model)

    return buy(
        task,
        provider=provider,
        operation=OPERATION,
        key=order.answer_key,
        models=_models(task, provider),
        ask=asked,
        pace=PACE,
    )


def _models(task: Task, provider: str) -> Sequence[str]:
    for known in task.settings.providers.with_models:
        if known.name == provider:
            return known.models["image"]
    raise Invalid(f"There is no provider {provider!r}.", "provider")


def _ask(task: Task, provider: str, wish: Wish) -> Ask:
    if provider == "openai":
        service = task.resource(openai.connect)
        return lambda model: service.edit(model, wish.prompt, wish.pictures)
    native: Gemini | LaoZhang
    if provider == "gemini":
        native = task.resource(gemini.connect)
    else:
        native = task.resource(laozhang.connect)
    return lambda model: native.edit(model, wish.prompt, wish.pictures, wish.options)
