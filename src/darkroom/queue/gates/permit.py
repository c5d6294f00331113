"""Permits: the right to make one call to the outside, with all that its gates gave for it."""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from darkroom.errors import Cancelled, NotNow, Permanent
from darkroom.queue.gates import breaker
from darkroom.queue.gates.breaker import Outcome
from darkroom.queue.gates.question import insist
from darkroom.queue.task import Task
from darkroom.settings import GateSettings

LONGEST_ERROR = 500

WHY = {
    ("breaker", "open"): "the breaker {gate} is open; the last error was: {error}",
    ("breaker", "half_open"): "the breaker {gate} is being tried; the last error was: {error}",
    ("breaker", "isolated"): "the breaker {gate} was isolated by hand: {reason}",
    ("budget", "spent"): "the budget of {gate} for today is spent: {spent} of {budget} USD",
    ("budget", "reserved"): "calls in flight have reserved what is left of the budget of {gate}",
    ("concurrency", "full"): "all {calls} calls in flight that {gate} may have are taken",
    ("pace", "pace"): "waiting in line for the pace {gate}, {ahead} before it",
}
"""The sentences of a closed gate, by its kind and its reason."""


@dataclass(frozen=True)
class Wanted:
    """A call somebody wants to make."""

    call_id: UUID
    provider: str
    operation: str
    pace: str | None
    estimate: Decimal


def enter(task: Task, wanted: Wanted, *, at: datetime | None = None) -> None:
    """Take everything the call needs, or nothing.

    Raises
    ------
    NotNow
        When a gate is closed, with its kind, its name and when to try again.
    Cancelled
        When the attempt is closed: another worker has the step.
    Permanent
        When the estimate is more than a whole day's budget.
    """
    settings = task.settings.gates
    _insist_on_room(settings, wanted)
    refusal = insist(
        task.stop,
        task.database,
        "enter",
        call=wanted.call_id,
        lease=task.lease.attempt_id,
        provider=wanted.provider,
        operation=wanted.operation,
        pace=wanted.pace,
        estimate=wanted.estimate,
        rules=json.dumps(_rules(settings, wanted)),
        at=at,
    )
    if refusal is not None:
        raise _error(refusal)


def leave(
    task: Task, wanted: Wanted, outcome: Outcome, error: str = "", *, at: datetime | None = None
) -> bool:
    """Give it back and say how the call ended; False when it held nothing any more."""
    row = insist(
        task.stop,
        task.database,
        "leave",
        call=wanted.call_id,
        outcome=outcome,
        said=_storable(error),
        rules=json.dumps(breaker.rules(task.settings.gates.breaker, wanted.provider)),
        at=at,
    )
    assert row is not None
    return bool(row[0])


def _rules(settings: GateSettings, wanted: Wanted) -> dict[str, Any]:
    budget = settings.budget_per_day.get(wanted.provider)
    owners = settings.budget_per_owner
    return {
        "spacing": settings.paces[wanted.pace] if wanted.pace else None,
        "max_calls": settings.max_calls.get(wanted.provider),
        "max_calls_per_owner": settings.max_calls_per_owner.get(wanted.provider),
        "budget": None if budget is None else str(budget),
        "budget_per_owner": None if owners is None else str(owners),
        "probe_seconds": settings.breaker.probe_seconds,
    }


def _storable(error: str) -> str:
    return error.replace("\0", "").encode(errors="replace").decode()[:LONGEST_ERROR]


def _insist_on_room(settings: GateSettings, wanted: Wanted) -> None:
    budgets = {
        f"DARKROOM_BUDGET_PER_DAY of {wanted.provider}": settings.budget_per_day.get(
            wanted.provider
        ),
        "DARKROOM_BUDGET_PER_OWNER": settings.budget_per_owner,
    }
    for name, budget in budgets.items():
        if budget is not None and wanted.estimate > budget:
            raise Permanent(
                f"{wanted.provider} {wanted.operation} may cost {wanted.estimate} USD, more than "
                f"the budget of a whole day ({budget}). Raise {name}."
            )


def _error(refusal: Row[Any]) -> NotNow | Cancelled:
    if refusal.kind == "lost":
        return Cancelled("Another worker has taken over this step.")
    sentence = WHY[refusal.kind, refusal.reason].format(gate=refusal.gate, **refusal.facts)
    return NotNow(sentence, refusal.until, kind=refusal.kind, on=refusal.gate)
