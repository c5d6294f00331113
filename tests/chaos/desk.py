"""Where runs are asked for and cancelled, as in the web process.

As a program it does so for each line it is given, so that an older release can be asked:
`python -m tests.chaos.desk`.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from darkroom.accounts.service import ensure_admin
from darkroom.db.sessions import Database
from darkroom.errors import Conflict
from darkroom.queue import control, runs
from darkroom.queue.models import Run
from tests.chaos.pipeline import call

Json = dict[str, Any]
T = TypeVar("T")

AGAIN_SECONDS = 0.2
PATIENCE = 120


class Desk:
    """Starts and cancels runs, each once, however often the database goes away meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, title: str, plan: Json) -> str:
        """Start a run; answers its id."""
        return self._insist(lambda session: _start(session, title, plan))

    def cancel(self, run_id: str) -> str:
        """Cancel a run, unless it is over."""
        return self._insist(lambda session: _cancel(session, run_id))

    def _insist(self, act: Callable[[Session], T]) -> T:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with self._database.session() as session:
                    return act(session)
            except DBAPIError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(AGAIN_SECONDS)


def _start(session: Session, title: str, plan: Json) -> str:
    # A commit whose answer got lost may have been one.
    there = session.scalar(select(Run.id).where(Run.title == title))
    if there is not None:
        return str(there)
    owner = ensure_admin(session)
    run = runs.start(session, pipeline="chaos", title=title, owner_id=owner.id, first=call(plan))
    return str(run.id)


def _cancel(session: Session, run_id: str) -> str:
    try:
        return control.cancel(session, UUID(run_id)).status
    except Conflict:
        return "over"


if __name__ == "__main__":
    desk = Desk(Database(os.environ["DATABASE_URL"], pool_size=1))
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        print(getattr(desk, verb)(*arguments), flush=True)
