"""`calling`: what a step wraps around each call to the outside.

with calling(task, provider="gemini", operation="edit", estimate=Decimal("0.04")) as call:
    answer = gemini.edit(photo, prompt)
    call.charge(answer.cost)
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy.exc import SQLAlchemyError

from darkroom.errors import Cancelled, Invalid, ModelGone, NotNow
from darkroom.queue.gates import money, pace, permit
from darkroom.queue.gates.breaker import Outcome
from darkroom.queue.gates.money import Charge
from darkroom.queue.gates.permit import Wanted
from darkroom.queue.gates.question import AWAY
from darkroom.queue.task import Task

log = logging.getLogger(__name__)

UNCOUNTED = (Invalid, ModelGone, NotNow, Cancelled, SQLAlchemyError)
"""What says nothing about the provider's health: the caller's mistakes, refusals, models that were
withdrawn, stops, our database."""


class OutsideCall:
    """A call that may go. Say what it cost as soon as the provider has answered."""

    def __init__(self, task: Task, wanted: Wanted) -> None:
        self._task = task
        self._wanted = wanted
        self._parts = 0

    @property
    def id(self) -> UUID:
        """What tells this call from all others, in `permits` and `charges`."""
        return self._wanted.call_id

    def charge(self, amount: Decimal) -> None:
        """Put on record at once what the provider took, in US dollars; call it again for more.

        While the database is away it waits. Should the worker be told to stop meanwhile, the
        estimate is put on record instead, once the attempt is closed.
        """
        self._parts += 1
        wanted = self._wanted
        charge = Charge(
            wanted.call_id,
            self._parts,
            wanted.provider,
            wanted.operation,
            money.checked(amount),
        )
        try:
            money.record(self._task, charge)
        except AWAY:
            # The answer is paid for: it must not be lost for want of its receipt.
            log.exception("a charge was not put on record: %s", charge)


@contextmanager
def calling(
    task: Task,
    *,
    provider: str,
    operation: str,
    estimate: Decimal = Decimal(0),
    pace: str | None = None,
) -> Iterator[OutsideCall]:
    """Ask the gates for one call; inside the block it is made, after it the gates hear how it went.

    Every error counts against the breaker but `Invalid` (and `Refused`), `ModelGone`, `NotNow`,
    `Cancelled` and those of our own database.

    Parameters
    ----------
    provider, operation
        Whose breaker is asked ("gemini", "edit"). Capacity and budget are the provider's.
    estimate
        What the call may cost in US dollars: reserved in the budgets while it is in flight.
    pace
        The pace to keep to ("variants"); by default the one named as the provider, if any.

    Raises
    ------
    NotNow
        When a gate is closed. Let it pass: the step is put back without burning an attempt.
    """
    wanted = Wanted(
        uuid4(), provider, operation, _pace(task, provider, pace), money.checked(estimate)
    )
    permit.enter(task, wanted)
    try:
        yield OutsideCall(task, wanted)
    except BaseException as error:
        _leave(task, wanted, _outcome(error), f"{type(error).__name__}: {error}")
        raise
    _leave(task, wanted, "succeeded")


def _pace(task: Task, provider: str, asked: str | None) -> str | None:
    return pace.name_of(task.settings.gates, provider, asked)


def _outcome(error: BaseException) -> Outcome:
    counts = isinstance(error, Exception) and not isinstance(error, UNCOUNTED)
    return "failed" if counts else "uncounted"


def _leave(task: Task, wanted: Wanted, outcome: Outcome, error: str = "") -> None:
    try:
        permit.leave(task, wanted, outcome, error)
    except AWAY:
        # What it held is free once the attempt is closed.
        log.exception("the gates were not told how %s ended", wanted)
