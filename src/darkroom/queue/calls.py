"""A call of a step: what is enqueued, by name, in somebody's transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from darkroom.db.sessions import driver
from darkroom.db.statements import raw

Json = dict[str, Any]


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
    parameters = {
        "names": [call.name for call in calls],
        "lanes": [call.lane for call in calls],
        "argses": [json.dumps(call.args) for call in calls],
        "labels": [call.label for call in calls],
        "shares": [call.share for call in calls],
        "max_attemptses": [call.max_attempts for call in calls],
        "ats": [call.at for call in calls],
        "run_id": run_id,
        "priority": priority,
        "child_of": fan_in_id,
        "callback_of": callback_of,
    }
    row = driver(session).execute(raw("queue/enqueue_steps"), parameters).fetchone()
    assert row is not None
    return list(row[0])
