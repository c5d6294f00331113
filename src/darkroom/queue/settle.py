"""Ending a step: its effects, its attempt, its fan-in and its run, in one fenced transaction.

Rows are always taken in the same order (job, whatever the step's own `save` writes, step, fan-in,
run), and the run's row only once and last, so that two steps of a run that end at the same moment
wait for one another instead of deadlocking.
"""

import json
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.db.sessions import Database, driver
from darkroom.db.statements import raw, statement
from darkroom.errors import Cancelled, Invalid, NotNow, Permanent, Transient
from darkroom.queue.backoff import Backoff
from darkroom.queue.models import Run
from darkroom.queue.said import message_of, storable
from darkroom.queue.step import Save
from darkroom.queue.task import Lease
from darkroom.queue.transaction import Transaction

Json = dict[str, Any]


LONGEST_WAIT = timedelta(days=30)


class LeaseLost(Exception):
    """Another worker has taken over the step: nothing of this attempt may be kept."""


@dataclass(frozen=True)
class Waiting:
    """Why a step that was put back waits: the kind of reason, which gate, and a sentence."""

    kind: str | None
    on: str | None
    message: str | None


NOTHING = Waiting(None, None, None)


@dataclass(frozen=True)
class Failure:
    """What is kept of an error: its class, its message for people, where it came from."""

    error_class: str
    message: str
    traceback: str | None = None
    field: str | None = None

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Describe an exception; the message of an unexpected one names its class."""
        return cls(
            error_class=type(error).__name__,
            message=message_of(error),
            traceback=storable("".join(traceback.format_exception(error))),
            field=error.field if isinstance(error, Invalid) else None,
        )

    def as_json(self) -> Json:
        """The error as rows and the API carry it."""
        return {"class": self.error_class, "message": self.message, "field": self.field}


CANCELLED = Failure("Cancelled", "An operator cancelled this step.")
"""What a step that a person cancelled failed of."""


@dataclass(frozen=True)
class Ended:
    """What the end of one step means for its fan-in and its run.

    `stopped` steps count for nothing but the run's open steps.
    """

    job_id: int
    tx: Transaction
    failure: Failure | None = None
    stopped: bool = False


def succeed(database: Database, lease: Lease, save: Save | None) -> None:
    """Write the step's effects and end it, or raise and write nothing.

    Raises
    ------
    LeaseLost
        When another worker has the step by now.
    Cancelled
        When the run was cancelled meanwhile.
    """
    verdict = succeed_together(database, [(lease, save)]).get(lease.attempt_id)
    if verdict is None:
        raise _lost(lease)
    if verdict == "cancelled":
        raise Cancelled("The run is over.")


def succeed_together(
    database: Database, works: Sequence[tuple[Lease, Save | None]]
) -> dict[int, str]:
    """End many steps in one transaction: all their effects are written, or none.

    Answers "held" or "cancelled" (the run is over; nothing was written) by attempt id; an attempt
    that is missing was lost. A save may be called again after an error.
    """
    with database.session() as session:
        verdicts = _close_together(session, [lease for lease, _ in works])
        ended = [
            _saved(session, lease, save)
            for lease, save in works
            if verdicts.get(lease.attempt_id) == "held"
        ]
        _count(session, ended)
    return verdicts


def _close_together(session: Session, leases: Sequence[Lease]) -> dict[int, str]:
    given = {
        "leases": [lease.attempt_id for lease in leases],
        "logs": [lease.log.text() for lease in leases],
    }
    rows = driver(session).execute(raw("queue/close_attempts"), given)
    return {attempt_id: verdict for attempt_id, verdict in rows}


def _saved(session: Session, lease: Lease, save: Save | None) -> Ended:
    tx = Transaction(session, lease.run_id, lease.priority)
    if save is not None:
        save(tx)
        session.flush()
        # The next step of the group begins with a clear sight of the rows.
        session.expunge_all()
    return Ended(lease.job_id, tx)


def _count(session: Session, ended: Sequence[Ended]) -> None:
    """Tell fan-ins and runs, once for all steps of the transaction and last of all."""
    if not ended:
        return
    ended = sorted(ended, key=lambda end: end.job_id)
    driver(session).execute(
        raw("queue/end_steps"),
        {
            "job_ids": [end.job_id for end in ended],
            "results": [_json(end.tx.step_result) for end in ended],
            "errors": [_json(end.failure.as_json() if end.failure else None) for end in ended],
            "enqueued": [end.tx.enqueued for end in ended],
            "run_results": [_json(end.tx.run_result or None) for end in ended],
            "stopped": [end.stopped for end in ended],
        },
    )


def _json(value: Json | None) -> str | None:
    return None if value is None else json.dumps(value)


def fail(database: Database, lease: Lease, failure: Failure, outcome: str = "failed") -> None:
    """End the step for good as failed; its fan-in or its run hears of it."""
    with database.session() as session:
        _fence(session, lease, outcome, "failed", burn=True, failure=failure)
        _count(session, [Ended(lease.job_id, Transaction(session, lease.run_id), failure)])


def retry(
    database: Database,
    lease: Lease,
    failure: Failure,
    at: datetime | None,
    outcome: str = "retried",
) -> None:
    """Put the step back with one attempt burned; `at` None: now."""
    with database.session() as session:
        _fence(session, lease, outcome, "todo", burn=True, at=at, failure=failure)
        reason = Waiting("retry", None, f"retry after: {failure.message}") if at else NOTHING
        _put_back(session, lease, reason)


def give_back(database: Database, lease: Lease, at: datetime | None, reason: Waiting) -> None:
    """Put the step back without burning an attempt; `at` None: now."""
    with database.session() as session:
        _fence(session, lease, "given_back", "todo", burn=False, at=at)
        _put_back(session, lease, reason)


def cancel(database: Database, lease: Lease) -> None:
    """End the step without effects. In a run that is not to stop it has failed (see `bulk`)."""
    with database.session() as session:
        _fence(session, lease, "cancelled", "aborted", burn=False)
        run = session.get(Run, lease.run_id) if lease.run_id else None
        expected = run is None or run.cancel_requested_at or run.is_over
        failure = None if expected else CANCELLED
        tx = Transaction(session, lease.run_id)
        _count(session, [Ended(lease.job_id, tx, failure, stopped=bool(expected))])


def settle_error(database: Database, lease: Lease, error: BaseException, backoff: Backoff) -> None:
    """End, retry or give back the step, as the type of its error decides."""
    failure = Failure.of(error)
    if isinstance(error, Cancelled):
        cancel(database, lease)
    elif isinstance(error, NotNow):
        give_back(database, lease, error.until, Waiting(error.kind, error.on, error.message))
    elif isinstance(error, Permanent | Invalid) or lease.burned + 1 >= lease.max_attempts:
        fail(database, lease, failure)
    else:
        asked = error.retry_after if isinstance(error, Transient) else None
        wait = min(backoff.delay(lease.burned + 1, asked), LONGEST_WAIT)
        retry(database, lease, failure, now(database) + wait)


def lose(database: Database, lease: Lease) -> None:
    """Take the step from a worker that died: back to the queue at once, an attempt burned.

    The attempt is burned so that a step that kills its worker cannot do so for ever.
    """
    failure = Failure("WorkerLost", "The worker that ran this step died or froze.")
    if lease.burned + 1 >= lease.max_attempts:
        fail(database, lease, failure, outcome="lost")
    else:
        retry(database, lease, failure, at=None, outcome="lost")


def now(database: Database) -> datetime:
    """The database's clock."""
    with database.session() as session:
        return session.execute(select(func.now())).scalar_one()


def _fence(
    session: Session,
    lease: Lease,
    outcome: str,
    job_status: str,
    *,
    burn: bool,
    at: datetime | None = None,
    failure: Failure | None = None,
) -> None:
    held = session.execute(
        statement("queue/close_attempt"),
        {
            "lease": lease.attempt_id,
            "outcome": outcome,
            "job_status": job_status,
            "retry_at": at,
            "burn": burn,
            "error_class": failure and failure.error_class,
            "error_message": failure and failure.message,
            "traceback": failure and failure.traceback,
            "log": lease.log.text(),
        },
    ).scalar_one()
    if not held:
        raise _lost(lease)


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"{lease.task_name} [{lease.job_id}] attempt {lease.attempt_id}")


def _put_back(session: Session, lease: Lease, reason: Waiting) -> None:
    """Say why the step waits. Nothing is put back into a run that is to stop: it is dropped."""
    session.execute(
        statement("queue/put_back"),
        {
            "job_id": lease.job_id,
            "kind": reason.kind,
            "gate": reason.on,
            "reason": reason.message,
        },
    )


def drop_waiting(session: Session, run_id: UUID) -> int:
    """Cancel the run's jobs that wait in the queue; answers how many."""
    return int(session.execute(statement("queue/drop_waiting"), {"run_id": run_id}).scalar_one())
