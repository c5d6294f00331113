"""A call of a step: what is enqueued, by name, in somebody's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.sync_psycopg_connector import SyncPsycopgConnector
from sqlalchemy import insert
from sqlalchemy.orm import Session

from darkroom.db.sessions import driver
from darkroom.queue.models import StepRow

Json = dict[str, Any]

# Never opened: it only runs queries on the connections it is handed.
_jobs = JobManager(SyncPsycopgConnector())


@dataclass(frozen=True)
class Call:
    """One step to enqueue.

    Parameters
    ----------
    name
        The step's name, `<pipeline>.<verb>`.
    lane
        Its lane: `io`, `cpu` or `gpu`.
    args
        Keyword arguments of the step; must survive JSON.
    label
        What tells this step from its siblings, for people ("photo 2").
    share
        The part of the run's progress this step makes, 0 to 1.
    at
        Not before this time.
    """

    name: str
    lane: str
    args: Json = field(default_factory=dict)
    label: str = ""
    share: float = 0.0
    max_attempts: int = 3
    at: datetime | None = None


def enqueue(
    session: Session,
    calls: Sequence[Call],
    *,
    run_id: UUID | None,
    priority: int = 0,
    fan_in_id: int | None = None,
    callback_of: int | None = None,
) -> list[int]:
    """Enqueue calls in the session's transaction; the run's counter is the caller's to raise."""
    if not calls:
        return []
    jobs = _jobs.batch_defer_jobs([_job(call, priority) for call in calls], driver(session))
    ids = [job.id for job in jobs if job.id is not None]
    rows = [
        {
            "job_id": job_id,
            "run_id": run_id,
            "fan_in_id": fan_in_id,
            "callback_of": callback_of,
            "name": call.name,
            "label": call.label,
            "max_attempts": call.max_attempts,
            "share": call.share,
        }
        for job_id, call in zip(ids, calls, strict=True)
    ]
    session.execute(insert(StepRow), rows)
    return ids


def _job(call: Call, priority: int) -> Job:
    return Job(
        id=None,
        queue=call.lane,
        lock=None,
        queueing_lock=None,
        task_name=call.name,
        priority=priority,
        task_kwargs=call.args,
        scheduled_at=call.at,
    )
