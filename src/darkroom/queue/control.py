"""What people do to runs: cancel one, retry one, retry a single step."""

from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from darkroom.db.statements import statement
from darkroom.errors import Conflict, NotFound
from darkroom.queue import bulk
from darkroom.queue.models import FanIn, Run, StepRow
from darkroom.queue.settle import drop_waiting


def cancel(session: Session, run_id: UUID) -> Run:
    """Drop the run's queued steps; those that run stop at their next checkpoint.

    Raises
    ------
    NotFound, Conflict
        When there is no such run, or it is over.
    """
    run = _locked(session, run_id)
    if run.is_over:
        raise Conflict(f"The run is {run.status} already; there is nothing to cancel.")
    run.cancel_requested_at = run.cancel_requested_at or func.now()
    run.note, run.note_values = "cancelling", {}
    run.open_steps -= drop_waiting(session, run_id)
    if run.open_steps == 0:
        run.status, run.finished_at, run.note = "cancelled", func.now(), ""
    session.flush()
    session.refresh(run)
    return run


def retry(session: Session, run_id: UUID) -> Run:
    """Queue again what failed, was dropped or was stopped; what succeeded is kept.

    Raises
    ------
    NotFound, Conflict
        When there is no such run, when it still goes on, or when nothing in it failed.
    """
    _hold_fan_ins(session, run_id)
    run = _locked(session, run_id)
    if not run.is_over:
        raise Conflict("The run is still going on. Cancel it first, or wait for its end.")
    _insist_on_rest(run)
    if not bulk.retry(session, _ended_badly(session, run_id)):
        raise Conflict(_nothing_to_retry(session, run))
    session.refresh(run)
    return run


def retry_step(session: Session, job_id: int) -> Run:
    """Queue one failed step again, and what was dropped or stopped when its run ended.

    Raises
    ------
    NotFound, Conflict
        When there is no such step, or it has not failed.
    """
    step = session.get(StepRow, job_id)
    if step is None or step.run_id is None:
        raise NotFound("There is no such step.")
    _hold_fan_ins(session, step.run_id)
    run = _locked(session, step.run_id)
    _insist_on_rest(run)
    if not bulk.retry(session, [job_id]):
        raise Conflict("Only a step that failed or was cancelled can be retried.")
    session.refresh(run)
    return run


def _hold_fan_ins(session: Session, run_id: UUID) -> None:
    """Take them before the run's row, as a step that ends does."""
    held = select(FanIn.id).where(FanIn.run_id == run_id).order_by(FanIn.id)
    session.execute(held.with_for_update(key_share=True))


def _locked(session: Session, run_id: UUID) -> Run:
    # Not FOR UPDATE: whoever adds a step to the run must not wait for us.
    run = session.get(Run, run_id, with_for_update={"key_share": True}, populate_existing=True)
    if run is None:
        raise NotFound("There is no such run.")
    return run


def _insist_on_rest(run: Run) -> None:
    if run.open_steps and (run.is_over or run.cancel_requested_at):
        raise Conflict("Some steps of the run are still stopping. Try again in a moment.")


def _ended_badly(session: Session, run_id: UUID) -> list[int]:
    return list(session.scalars(statement("queue/steps_to_retry"), {"run_id": run_id}))


def _nothing_to_retry(session: Session, run: Run) -> str:
    has_steps = session.scalar(select(exists().where(StepRow.run_id == run.id)))
    if has_steps:
        return "Every step of this run succeeded; there is nothing to retry."
    return "This run's steps were cleaned up; it cannot be retried. Send it again."
