"""Deletes what is over and old: finished work, and rows that have expired.

The unit is the run: its steps, attempts and events go when the run has been over long enough. A run
that rows of other tables refer to (photos counted, webhook deliveries) stays as a row, without its
steps, and is marked with `steps_deleted_at`; whatever refers to it by a foreign key is protected,
also by tables that do not exist yet. Steps without a run go by their own age. What failed is kept
longer.

Every batch is a transaction of its own that takes only what nobody has in hand; the next starts
from what is left, so that a crash costs nothing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from sqlalchemy import DateTime, TextClause, Uuid, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.queue import rollups
from darkroom.settings import UpkeepSettings

BATCH = 1000
"""Steps a transaction deletes."""
RUNS = 200
"""Runs a transaction holds while it deletes their steps."""

Counts = Counter[str]
TIME = DateTime(timezone=True)
UUIDS = ARRAY(Uuid)


@dataclass(frozen=True)
class Ages:
    """How old something must be to go."""

    finished: timedelta
    failed: timedelta
    rollups: timedelta
    deliveries: timedelta

    @classmethod
    def of(cls, settings: UpkeepSettings, days: float | None = None) -> Self:
        """The ages of the settings; `days` in place of that of finished work that did not fail."""
        return cls(
            timedelta(days=settings.finished_days if days is None else days),
            timedelta(days=settings.failed_days),
            timedelta(days=settings.rollup_days),
            timedelta(days=settings.delivery_days),
        )

    @property
    def expiry(self) -> Mapping[str, timedelta]:
        """What `delete_expired` deletes, by table, and how old it must be.

        The rows of those with no age of ours say themselves when they are over.
        """
        return {
            "sign_in_links": timedelta(),
            "idempotency_keys": timedelta(),
            "webhook_deliveries": self.deliveries,
            "provider_calls": self.rollups,
            "limits_used": timedelta(),
            "gate_waits": timedelta(),
            "worker_lanes": timedelta(),
            "periodic_defers": timedelta(),
        }


def delete_finished(database: Database, ages: Ages, batch: int = BATCH) -> Iterator[Counts]:
    """Delete old runs and steps; yields what each batch deleted."""
    # What goes without having been counted would be missing in the history for ever.
    rollups.roll_up(database)
    finished, failed = _cutoffs(database, ages, only_counted=True)
    yield from _runs(database, False, finished, batch)
    yield from _runs(database, True, failed, batch)
    yield from _loose_steps(database, finished, failed, batch)


def count_finished(database: Database, ages: Ages) -> Counts:
    """What `delete_finished` would delete now, and how many runs would stay without their steps."""
    # What is not rolled up yet is before it is deleted.
    finished, failed = _cutoffs(database, ages, only_counted=False)
    before = {"finished_before": finished, "failed_before": failed}
    with database.session() as session:
        of_runs = session.execute(_timed("upkeep/count_old_runs"), before).mappings().one()
        loose = session.execute(_timed("upkeep/count_loose_steps"), before).scalar_one()
    counted = Counter({name: int(count) for name, count in of_runs.items()})
    return counted + Counter(steps=int(loose))


def delete_expired(database: Database, ages: Ages, batch: int = BATCH) -> Iterator[Counts]:
    """Delete rows that have expired; yields what each batch deleted, by table."""
    for table, age in ages.expiry.items():
        while (deleted := _expire(database, table, age, batch))[table]:
            yield deleted
    yield Counter(rollups=rollups.forget(database, ages.rollups))


def count_expired(database: Database, ages: Ages) -> Counts:
    """What `delete_expired` would delete now: it is deleted in a transaction that is undone."""
    counted = Counts()
    with database.engine.connect() as connection, Session(connection) as session:
        for table, age in ages.expiry.items():
            counted[table] = len(_expired(session, table, age, None))
        older = {"seconds": ages.rollups.total_seconds()}
        counted["rollups"] = session.execute(statement("rollups/forget"), older).scalar_one()
        session.rollback()
    return counted


def _runs(database: Database, failed: bool, before: datetime, batch: int) -> Iterator[Counts]:
    while any((deleted := _batch_of_runs(database, failed, before, batch)).values()):
        yield deleted


def _batch_of_runs(database: Database, failed: bool, before: datetime, batch: int) -> Counts:
    """Delete some steps of old runs, then the runs that have none left."""
    with database.session() as session:
        old = {"failed": failed, "before": before, "size": RUNS}
        # Held first, so that nobody starts one of them anew while its steps go.
        runs = list(session.scalars(statement("upkeep/hold_old_runs"), old))
        steps = _of_runs(session, "upkeep/delete_steps_of_runs", runs, size=batch)
        stripped = list(session.scalars(*_with_runs("upkeep/strip_runs", runs)))
        gone = _of_runs(session, "upkeep/delete_bare_runs", stripped)
    return Counter(steps=steps, runs=gone, runs_kept=len(stripped) - gone)


def _loose_steps(
    database: Database, finished: datetime, failed: datetime, batch: int
) -> Iterator[Counts]:
    after, newest = 0, max(finished, failed)
    while True:
        page = {"after": after, "size": batch, "finished_before": finished, "failed_before": failed}
        with database.session() as session:
            looked = session.execute(_timed("upkeep/delete_loose_steps"), page).one()
        yield Counter(steps=looked.steps)
        # A job enqueued later has not ended earlier.
        if looked.last is None or (looked.oldest is not None and looked.oldest >= newest):
            return
        after = looked.last


def _expire(database: Database, table: str, age: timedelta, batch: int) -> Counts:
    with database.session() as session:
        of_runs = _expired(session, table, age, batch)
        runs = list({run_id for run_id in of_runs if run_id is not None})
        # Kept only for what is gone now.
        gone = _of_runs(session, "upkeep/delete_bare_runs", runs)
    return Counter({table: len(of_runs), "runs": gone})


def _expired(session: Session, table: str, age: timedelta, batch: int | None) -> list[UUID | None]:
    asked = {"seconds": age.total_seconds(), "size": batch}
    return list(session.scalars(statement(f"upkeep/delete_{table}"), asked))


def _of_runs(session: Session, name: str, runs: Sequence[UUID], **parameters: Any) -> int:
    """Run a statement on runs; answers the number it answers."""
    return int(session.execute(*_with_runs(name, runs, **parameters)).scalar_one()) if runs else 0


def _with_runs(
    name: str, runs: Sequence[UUID], **parameters: Any
) -> tuple[TextClause, dict[str, Any]]:
    return statement(name).bindparams(bindparam("run_ids", list(runs), UUIDS)), parameters


def _cutoffs(database: Database, ages: Ages, *, only_counted: bool) -> tuple[datetime, datetime]:
    asked = {
        "only_counted": only_counted,
        "finished_seconds": ages.finished.total_seconds(),
        "failed_seconds": ages.failed.total_seconds(),
    }
    with database.session() as session:
        found = session.execute(statement("upkeep/cutoffs"), asked).one()
    return found.finished, found.failed


def _timed(name: str) -> TextClause:
    times = (bindparam(place, type_=TIME) for place in ("finished_before", "failed_before"))
    return statement(name).bindparams(*times)
