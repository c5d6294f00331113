"""Jobs as JSON, the same for the API and the command line. Times are ISO 8601."""

from datetime import datetime
from typing import Any

from darkroom.console.actions import Progress
from darkroom.console.job_views import Family, JobRow, JobView, Reason
from darkroom.console.listing import Listing
from darkroom.console.search import Count
from darkroom.queue.models import Attempt

Json = dict[str, Any]


def listing_json(found: Listing) -> Json:
    """A page of jobs; `older` goes on as `before`, `cut` says that not all was looked through."""
    return {
        "jobs": [row_json(row) for row in found.rows],
        "older": found.older,
        "cut": found.cut,
        "count": None if found.count is None else found.count.number,
        "exact": found.count is not None and found.count.exact,
    }


def count_json(count: Count) -> Json:
    """A dry run."""
    return {
        "dry_run": True,
        "count": count.number,
        "exact": count.exact,
        "tasks": dict(sorted(count.by_task.items())),
    }


def progress_json(progress: Progress) -> Json:
    """What was done; not `done` yet: send the same again with `continue`."""
    return {
        "dry_run": False,
        "count": progress.count,
        "done": progress.done,
        "continue": progress.token,
        "audit_id": progress.audit_id,
        "undoable": progress.undoable,
    }


def row_json(row: JobRow) -> Json:
    """A job as a list holds it."""
    error = {"class": row.error_class, "message": row.error_message}
    return {
        "id": row.id,
        "task": row.task,
        "label": row.label,
        "state": row.state,
        "stopping": row.stopping,
        "lane": row.lane,
        "priority": row.priority,
        "attempts": row.burned,
        "max_attempts": row.max_attempts,
        "progress": round(row.progress, 4),
        "owner": None if row.owner is None else {"id": row.owner_id, "name": row.owner},
        "run": None if row.run_id is None else {"id": str(row.run_id), "title": row.run_title},
        "created_at": _iso(row.created_at),
        "scheduled_at": _iso(row.scheduled_at),
        "started_at": _iso(row.started_at),
        "finished_at": _iso(row.finished_at),
        "worker": row.worker,
        "error": error if row.error_message is not None else None,
        "waiting": None if row.waits is None else _reason(row.waits),
    }


def view_json(view: JobView) -> Json:
    """Everything about one job."""
    return row_json(view.row) | {
        "args": view.args,
        "result": view.result,
        "lock": view.lock,
        "queueing_lock": view.queueing_lock,
        "attempt_rows": [_attempt(attempt, view.logs.get(attempt.id)) for attempt in view.attempts],
        "timeline": [
            {"kind": moment.kind, "at": _iso(moment.at), "attempt": moment.attempt}
            for moment in view.timeline
        ],
        "siblings": _family_json(view.siblings),
        "gathers": _family_json(view.gathers),
    }


def _reason(reason: Reason) -> Json:
    return {
        "reason": reason.reason,
        "on": reason.waits_on,
        "until": _iso(reason.until),
        "why": reason.why,
    }


def _attempt(attempt: Attempt, log: str | None) -> Json:
    return {
        "number": attempt.number,
        "worker": attempt.worker,
        "started_at": _iso(attempt.started_at),
        "finished_at": _iso(attempt.finished_at),
        "outcome": attempt.outcome,
        "error_class": attempt.error_class,
        "error_message": attempt.error_message,
        "traceback": attempt.traceback,
        "log": log,
    }


def _family_json(family: Family | None) -> Json | None:
    if family is None:
        return None
    return {
        "children": family.children,
        "pending": family.pending,
        "failed": family.failed,
        "jobs": [{"id": row.id, "label": row.label, "state": row.state} for row in family.members],
        "callbacks": [{"id": row.id, "state": row.state} for row in family.callbacks],
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")
