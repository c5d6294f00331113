"""Money: what a provider took for a call is on record before anything is done with the answer."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from darkroom.queue.gates.question import insist
from darkroom.queue.task import Task


@dataclass(frozen=True)
class Charge:
    """What a provider took; `part` tells several charges of one call apart."""

    call_id: UUID
    part: int
    provider: str
    operation: str
    amount: Decimal


def checked(amount: Decimal) -> Decimal:
    """The amount; ValueError when it is none that can be paid."""
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"an amount of money must be 0 or more, not {amount}")
    return amount


def record(task: Task, charge: Charge, *, at: datetime | None = None) -> bool:
    """Put a charge on record at once; False when it was already."""
    row = insist(
        task.stop,
        task.database,
        "charge",
        call=charge.call_id,
        part=charge.part,
        lease=task.lease.attempt_id,
        provider=charge.provider,
        operation=charge.operation,
        amount=charge.amount,
        at=at,
    )
    assert row is not None
    return bool(row[0])
