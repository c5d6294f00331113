"""What people do to many jobs at once: a few set-based statements a batch, in one transaction.

Each function takes the ids of a batch and answers those it changed; whatever has moved on since it
was chosen is left alone. Runs and fan-ins hear of it as they would of a step that ended by itself:
to its fan-in a cancelled step has failed for good, whether it waited or ran, and the others go on
without it; a run that cannot go on for nothing else is cancelled.

Rows are taken in the order fan-in, run, job, step. A step that ends takes its own job and step
first, but those are nobody else's: what waits or is over it takes in the same order as everybody.
Who changes waiting jobs without ending them takes their runs, too: whoever ends a run goes through
its jobs run by run.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from darkroom.db.statements import statement
from darkroom.queue.settle import CANCELLED, Failure

Ids = Sequence[int]

DISCARDED = Failure("Cancelled", "An operator discarded this step.")


def retry(session: Session, job_ids: Ids) -> list[int]:
    """Queue again those that failed or were cancelled, each with all its attempts.

    With them goes what was dropped or stopped when their runs ended. Left alone are steps of runs
    that are still stopping, and children whose callback is in the queue.
    """
    _do(session, "lock_fan_ins", job_ids)
    _do(session, "lock_runs", job_ids)
    found = _do(session, "retriable", job_ids).all()
    again = [row.id for row in found]
    for verb in ("reopen_runs", "reopen_fan_ins", "reset_steps"):
        _do(session, verb, again)
    session.execute(statement("queue/requeue"), {"job_ids": again})
    return [row.id for row in found if row.asked]


def cancel(session: Session, job_ids: Ids) -> list[int]:
    """Drop those that wait; ask those that run to stop at their next checkpoint."""
    dropped = _drop(session, job_ids, CANCELLED)
    return dropped + _ids(session, "stop", job_ids)


def discard(session: Session, job_ids: Ids) -> tuple[list[int], list[int]]:
    """Give up on those that wait, which are cancelled, and on those that failed.

    What failed keeps its error and its attempts, and its run stays as it is; but it is no dead
    letter any more, and a retry of its siblings leaves it where it is. Answers both kinds.
    """
    return _drop(session, job_ids, DISCARDED), _ids(session, "give_up", job_ids)


def reprioritise(session: Session, job_ids: Ids, priority: int) -> dict[int, int]:
    """Give those that wait another priority (higher runs first); answers what they had."""
    _do(session, "lock_runs", job_ids)
    had = {row.id: row.had for row in _do(session, "reprioritise", job_ids, priority=priority)}
    _do(session, "wake_next", list(had))
    return had


def run_now(session: Session, job_ids: Ids) -> dict[int, datetime]:
    """Make those that wait for a time due now; answers the times they had."""
    _do(session, "lock_runs", job_ids)
    return {row.id: row.had for row in _do(session, "run_now", job_ids)}


def uncancel(session: Session, job_ids: Ids) -> list[int]:
    """Queue those again that are still cancelled."""
    return retry(session, _ids(session, "still_cancelled", job_ids))


def undiscard(session: Session, job_ids: Ids) -> list[int]:
    """Count those as failed again that were given up after they had failed."""
    _do(session, "lock_runs", job_ids)
    return _ids(session, "take_up", job_ids)


def reschedule(session: Session, times: Mapping[int, datetime]) -> list[int]:
    """Give those that still wait their times back."""
    _do(session, "lock_runs", list(times))
    return list(_do(session, "reschedule", list(times), times=list(times.values())).scalars())


def _drop(session: Session, job_ids: Ids, why: Failure) -> list[int]:
    _do(session, "lock_fan_ins", job_ids)
    _do(session, "lock_runs", job_ids)
    dropped = _ids(session, "drop", job_ids)
    if dropped:
        _do(session, "end_dropped", dropped, error=json.dumps(why.as_json()))
        _do(session, "wake_next", dropped)
    return dropped


def _ids(session: Session, verb: str, job_ids: Ids) -> list[int]:
    return list(_do(session, verb, job_ids).scalars())


def _do(session: Session, verb: str, job_ids: Ids, **values: Any) -> Any:
    return session.execute(statement(f"queue/bulk/{verb}"), {"job_ids": list(job_ids), **values})
