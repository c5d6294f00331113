"""The pause of the whole catalog: edits that wait stay where they are, and lose nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.catalog.models import CatalogSettings
from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import Conflict, NotNow
from darkroom.queue.settle import LONGEST_WAIT

KIND = "paused"


@dataclass(frozen=True)
class State:
    """Since when the catalog is paused and by whom; None and None when it is not."""

    since: datetime | None
    by: str | None

    @property
    def is_paused(self) -> bool:
        """Whether no edit is begun."""
        return self.since is not None


def state(session: Session) -> State:
    """How it stands."""
    row = session.scalars(select(CatalogSettings)).one()
    return State(row.paused_at, row.paused_by)


def pause(session: Session, by: Actor) -> State:
    """Begin no edit from now on; those that go on are finished. `Conflict` when paused already."""
    row = _held(session)
    if row.paused_at is not None:
        raise Conflict("The catalog is paused already.")
    row.paused_at, row.paused_by = func.now(), by.name
    audit.write(session, actor=by, action="catalog.pause")
    session.refresh(row)
    return State(row.paused_at, row.paused_by)


def resume(session: Session, by: Actor) -> int:
    """Go on: what waited for this is due now. Answers how many; `Conflict` when not paused."""
    row = _held(session)
    if row.paused_at is None:
        raise Conflict("The catalog is not paused.")
    row.paused_at, row.paused_by = None, None
    session.flush()
    due = int(session.execute(statement("catalog/resume"), {"kind": KIND}).scalar_one())
    audit.write(session, actor=by, action="catalog.resume", count=due)
    return due


def insist(database: Database) -> None:
    """Raise `NotNow`, until far ahead, while the catalog is paused."""
    with database.session() as session:
        found = state(session)
        if found.is_paused:
            until = session.execute(select(func.now())).scalar_one() + LONGEST_WAIT
            raise NotNow("the catalog is paused", until, kind=KIND, on=found.by)


def _held(session: Session) -> CatalogSettings:
    return session.scalars(select(CatalogSettings).with_for_update()).one()
