"""Turns at a device: processes that run models on one device have it one after the other.

    free ──take──▶ held ──leave, long wanted──▶ its models go ──give way──▶ kept for who waits
                    └───────idle and wanted─────────┘

The lease is the process's, not the step's: its models stay loaded from step to step, and the steps
of other processes go back to the queue, where the holder may take them up. A holder without work
gives way at once, one with work when another has waited for `TURN_SECONDS`. The lease of a process
that has gone silent has expired.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import NotNow
from darkroom.queue.gates.question import ask, insist
from darkroom.queue.task import Task

TURN_SECONDS = 60.0
KEPT_SECONDS = 5.0
"""So long a device is kept for the process that it was given to."""
AGAIN = timedelta(seconds=2)
"""When a step asks again whose process was refused; longer than that it is kept for it."""

BUSY = "another worker process has its turn at {device}"


@dataclass(frozen=True)
class Seat:
    """A process at a device. `is_shared`: any number of processes may be at it at once."""

    runtime: UUID
    device: str
    is_shared: bool


def enter(task: Task, seat: Seat, *, at: datetime | None = None) -> None:
    """Take the device for a step.

    Raises
    ------
    NotNow
        When it is another process's turn.
    """
    row = insist(
        task.stop,
        task.database,
        "take_device",
        device=seat.device,
        runtime=seat.runtime,
        lease=task.lease.attempt_id,
        at=at,
    )
    assert row is not None
    if not row.is_taken:
        sentence = BUSY.format(device=seat.device)
        raise NotNow(sentence, row.now + AGAIN, kind="device", on=seat.device)


def leave(task: Task, seat: Seat, *, at: datetime | None = None) -> bool:
    """Say that a step is done; whether its process has had its turn and is to give way."""
    row = insist(
        task.stop,
        task.database,
        "leave_device",
        device=seat.device,
        runtime=seat.runtime,
        lease=task.lease.attempt_id,
        turn_seconds=TURN_SECONDS,
        at=at,
    )
    return row is not None and bool(row[0])


def give_way(database: Database, seat: Seat) -> None:
    """Let the process that waits have the device, once what this one loaded is gone from it."""
    with database.session() as session:
        session.execute(
            statement("gates/give_way"),
            {"device": seat.device, "runtime": seat.runtime, "kept_seconds": KEPT_SECONDS},
        )


@dataclass(frozen=True)
class Look:
    """Whether a process has its device, and whether it should give way while it has no work."""

    is_mine: bool
    gives_way: bool


def look(database: Database, seat: Seat) -> Look:
    """How things stand between a process and its device."""
    row = ask(database, "look_at_device", device=seat.device, runtime=seat.runtime)
    return Look(False, False) if row is None else Look(bool(row.is_mine), bool(row.gives_way))
