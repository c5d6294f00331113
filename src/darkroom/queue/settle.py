"""Ending a step: its effects, its attempt, its fan-in and its run, in one fenced transaction.

Rows are always taken in the same order (job, whatever the step's own `save` writes, step, fan-in,
run), and the run's row only once and last, so that two steps of a run that end at the same moment
wait for one another instead of deadlocking.
"""

import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import Cancelled, DarkroomError, Invalid, NotNow, Permanent, Transient
from darkroom.queue.backoff import Backoff
from darkroom.queue.calls import Call, enqueue
from darkroom.queue.models import FanIn, Run, StepRow
from darkroom.queue.step import Save
from darkroom.queue.task import Lease
from darkroom.queue.transaction import Transaction

Json = dict[str, Any]


LONGEST = 20_000
"""Characters that are kept of a message or a traceback."""
LONGEST_WAIT = timedelta(days=30)


class LeaseLost(Exception):
    """Another worker has taken over the step: nothing of this attempt may be kept."""


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
        name, said = type(error).__name__, _said(error)
        return cls(
            error_class=name,
            message=_storable(said if isinstance(error, DarkroomError) else f"{name}: {said}"),
            traceback=_storable("".join(traceback.format_exception(error))),
            field=error.field if isinstance(error, Invalid) else None,
        )

    def as_json(self) -> Json:
        """The error as rows and the API carry it."""
        return {"class": self.error_class, "message": self.message, "field": self.field}


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as worse:
        return f"(its message cannot be shown: {type(worse).__name__})"


def _storable(said: str) -> str:
    """The text as Postgres takes it: no NUL, no lone surrogates, no megabytes."""
    if len(said) > LONGEST:
        said = f"{said[: LONGEST // 2]} … {said[-LONGEST // 2 :]}"
    return said.replace("\0", "\ufffd").encode(errors="replace").decode()


def succeed(database: Database, lease: Lease, save: Save | None) -> None:
    """Write the step's effects and end it, or raise and write nothing.

    Raises
    ------
    LeaseLost
        When another worker has the step by now.
    Cancelled
        When the run was cancelled meanwhile.
    """
    with database.session() as session:
        _fence(session, lease, "succeeded", "succeeded", burn=True)
        _refuse_if_cancelled(session, lease)
        tx = Transaction(session, lease.run_id, lease.priority)
        if save is not None:
            save(tx)
        session.flush()
        _end_step(tx, lease, failure=None)


def fail(database: Database, lease: Lease, failure: Failure, outcome: str = "failed") -> None:
    """End the step for good as failed; its fan-in or its run hears of it."""
    with database.session() as session:
        _fence(session, lease, outcome, "failed", burn=True, failure=failure)
        _end_step(Transaction(session, lease.run_id, lease.priority), lease, failure)


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
        _wait(session, lease, f"retry after: {failure.message}" if at else None)
        _drop_if_over(session, lease)


def give_back(database: Database, lease: Lease, at: datetime | None, reason: str) -> None:
    """Put the step back without burning an attempt; `at` None: now."""
    with database.session() as session:
        _fence(session, lease, "given_back", "todo", burn=False, at=at)
        _wait(session, lease, reason)
        _drop_if_over(session, lease)


def cancel(database: Database, lease: Lease) -> None:
    """End the step without effects. A run that was not cancelled itself fails with it."""
    with database.session() as session:
        _fence(session, lease, "cancelled", "aborted", burn=False)
        session.execute(
            update(StepRow).where(StepRow.job_id == lease.job_id).values(finished_at=func.now())
        )
        run = session.get(Run, lease.run_id) if lease.run_id else None
        expected = run is None or run.cancel_requested_at or run.is_over
        failure = None if expected else Failure("Cancelled", "An operator aborted a step.")
        _leave_run(Transaction(session, lease.run_id), gained=0.0, failure=failure)


def settle_error(database: Database, lease: Lease, error: BaseException, backoff: Backoff) -> None:
    """End, retry or give back the step, as the type of its error decides."""
    failure = Failure.of(error)
    if isinstance(error, Cancelled):
        cancel(database, lease)
    elif isinstance(error, NotNow):
        give_back(database, lease, error.until, error.message)
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
        },
    ).scalar_one()
    if not held:
        raise LeaseLost(f"{lease.task_name} [{lease.job_id}] attempt {lease.attempt_id}")


def _refuse_if_cancelled(session: Session, lease: Lease) -> None:
    run = session.get(Run, lease.run_id) if lease.run_id else None
    if run is not None and (run.cancel_requested_at or run.is_over):
        raise Cancelled("The run is over.")


def _wait(session: Session, lease: Lease, reason: str | None) -> None:
    session.execute(
        update(StepRow).where(StepRow.job_id == lease.job_id).values(waiting_for=reason)
    )


def _drop_if_over(session: Session, lease: Lease) -> None:
    """Nothing is put back into a run that was cancelled or failed meanwhile."""
    if lease.run_id is not None:
        _close_run(session, session.get_one(Run, lease.run_id, with_for_update=True))


def _end_step(tx: Transaction, lease: Lease, failure: Failure | None) -> None:
    row = tx.session.get(StepRow, lease.job_id, with_for_update=True)
    if row is None:
        return
    gained = row.share * (1.0 - row.progress)
    row.progress, row.result, row.waiting_for = 1.0, tx.step_result, None
    row.error = failure.as_json() if failure else None
    row.finished_at = func.now()
    run_failure = failure
    if row.fan_in_id is not None:
        run_failure = _count_down(tx, row.fan_in_id, failure)
    _leave_run(tx, gained, run_failure)


def _count_down(tx: Transaction, fan_in_id: int, failure: Failure | None) -> Failure | None:
    """One child less to wait for; the last enqueues the callback, or fails the run if all did."""
    fan_in = tx.session.get_one(FanIn, fan_in_id, with_for_update=True)
    fan_in.pending -= 1
    fan_in.failed += 1 if failure else 0
    if fan_in.pending > 0:
        return None
    if fan_in.failed == fan_in.children:
        return failure
    fan_in.fired_at = func.now()
    call = Call(
        fan_in.callback,
        fan_in.callback_lane,
        fan_in.callback_args,
        share=fan_in.callback_share,
        max_attempts=fan_in.callback_max_attempts,
    )
    enqueue(tx.session, [call], run_id=tx.run_id, priority=tx.priority, callback_of=fan_in_id)
    tx.enqueued += 1
    return None


def _leave_run(tx: Transaction, gained: float, failure: Failure | None) -> None:
    if tx.run_id is None:
        return
    tx.session.flush()
    run = tx.session.get_one(Run, tx.run_id, with_for_update=True, populate_existing=True)
    run.open_steps += tx.enqueued - 1
    run.progress = min(1.0, run.progress + gained)
    if tx.run_result:
        run.result = {**(run.result or {}), **tx.run_result}
    if failure is not None and not run.is_over:
        _finish(run, "failed", failure.as_json())
    _close_run(tx.session, run)


def _close_run(session: Session, run: Run) -> None:
    """Drop what waits in a run that is to stop; end the run when nothing is left to do."""
    if run.cancel_requested_at or run.is_over:
        run.open_steps -= drop_waiting(session, run.id)
    if run.open_steps or run.is_over:
        return
    if run.cancel_requested_at:
        _finish(run, "cancelled", None)
    else:
        # A step retried by itself may leave others of its run that failed.
        session.flush()
        error = session.execute(statement("queue/unmended_error"), {"run_id": run.id}).scalar()
        _finish(run, "failed" if error else "completed", error)


def _finish(run: Run, status: str, error: Json | None) -> None:
    run.status = status
    run.finished_at = func.now()
    run.error = error
    if status == "completed":
        run.progress = 1.0


def drop_waiting(session: Session, run_id: UUID) -> int:
    """Cancel the run's jobs that wait in the queue; answers how many."""
    return int(session.execute(statement("queue/drop_waiting"), {"run_id": run_id}).scalar_one())
