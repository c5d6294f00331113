"""Cron jobs: steps with a schedule, kept as rows of `crons`.

What it guarantees, over any number of worker processes:

* A due time is enqueued once: the job and the row's next due time are written together.
* Never two of a job at once. A due time that comes while the job still waits or runs is counted as
  missed, and a job that somebody retried by hand waits for the one that runs.
* Times that passed while no worker was there are made up for by one run; the others count as
  missed.
* What a run came to is written with the run's own end; of one that failed, within a moment of it.

Workers write the rows from the code and the settings when they start. Everything else (listing,
switching, running one now) needs the rows only, so that the web process can do it, too.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from sqlalchemy import DateTime, bindparam, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from darkroom.db.sessions import Base, Database
from darkroom.db.statements import statement
from darkroom.errors import Conflict, Invalid, NotFound, NotNow
from darkroom.queue import schedule as schedules
from darkroom.queue.calls import Call, enqueue
from darkroom.queue.step import Body, Save, Step, registry
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.settings import CRON_PREFIX, QueueSettings

log = logging.getLogger(__name__)

Json = dict[str, Any]
TIME = DateTime(timezone=True)

TICK_SECONDS = 1.0
PAUSE_SECONDS = 30.0
"""How long a worker leaves the crons alone after a round of its own failed."""
BUSY_WAIT = timedelta(seconds=10)

# Any number will do, as long as all processes take the same.
LOCK_KEY = 0x63726F6E


class CronRow(Base):
    """One cron job: when it is due, what runs, how the last run went."""

    __tablename__ = "crons"

    name: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    lane: Mapped[str]
    max_attempts: Mapped[int]
    schedule: Mapped[str]
    enabled: Mapped[bool] = mapped_column(default=True)
    next_at: Mapped[datetime | None] = mapped_column(TIME)
    running_job_id: Mapped[int | None]
    last_job_id: Mapped[int | None]
    last_started_at: Mapped[datetime | None] = mapped_column(TIME)
    last_finished_at: Mapped[datetime | None] = mapped_column(TIME)
    last_outcome: Mapped[str | None]
    last_result: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    last_error: Mapped[str | None]
    missed: Mapped[int] = mapped_column(default=0)
    last_missed_at: Mapped[datetime | None] = mapped_column(TIME)


@dataclass(frozen=True)
class CronJob:
    """A step with the schedule that the code gives it, and what it does in a sentence."""

    step: Step
    schedule: str
    purpose: str


crons: dict[str, CronJob] = {}
"""Every cron job of this process by its step's name."""


def scheduled(schedule: str) -> Callable[[Step], Step]:
    """Make a step a cron job; put it above `@step`.

    A setting can give it another schedule or switch it off: `setting_of` tells its name.

    Raises
    ------
    Invalid
        When the schedule is none.
    """
    schedules.parse(schedule)

    def register(step: Step) -> Step:
        made = replace(step, body=_recorded(step.name, step.body))
        registry[step.name] = made
        purpose = (step.body.__doc__ or "").strip().partition("\n")[0]
        crons[step.name] = CronJob(made, schedule, purpose)
        return made

    return register


def setting_of(name: str) -> str:
    """The environment variable that sets a cron job's schedule."""
    return CRON_PREFIX + name.replace(".", "_").upper()


def plan(settings: QueueSettings) -> dict[str, str]:
    """The schedule of every cron job of this process, by name.

    Raises
    ------
    Invalid
        Naming the variable that holds no schedule, or that names no cron job.
    """
    known = {setting_of(name): name for name in crons}
    given = {CRON_PREFIX + end: text for end, text in settings.crons.items()}
    for variable, text in given.items():
        if variable not in known:
            raise Invalid(f"{variable} names no cron job. Use {_listed(known)}.", variable)
        schedules.parse(text, variable)
    return {name: given.get(variable, crons[name].schedule) for variable, name in known.items()}


class Ticker:
    """What a worker process does for the crons: write their rows, then enqueue what is due."""

    def __init__(self, database: Database, settings: QueueSettings) -> None:
        self._database = database
        self._settings = settings
        self._written = False
        self._next_round = 0.0

    def round(self) -> None:
        """Tick if it is time to. Never raises: a bad cron must not end whoever calls."""
        if time.monotonic() < self._next_round:
            return
        self._next_round = time.monotonic() + TICK_SECONDS
        try:
            self.tick()
        except Exception:
            log.warning("crons: a round failed", exc_info=True)
            self._next_round = time.monotonic() + PAUSE_SECONDS

    def tick(self, now: datetime | None = None) -> list[str]:
        """Enqueue what is due and answer its names; one process at a time does, others return.

        `now` is the database's clock if not given.
        """
        with self._database.session() as session:
            if self._written and not _something_due(session, now):
                return []
            if not _try_lock(session):
                return []
            if not self._written:
                write_rows(session, plan(self._settings), now)
            session.execute(statement("cron/note_ends"))
            enqueued = _enqueue_due(session, now)
        self._written = True
        return enqueued


def write_rows(
    session: Session, schedule_of: Mapping[str, str], now: datetime | None = None
) -> None:
    """Bring the rows up to date with the code and settings; the rows' own switches are kept."""
    now = now or _now(session)
    query = select(CronRow).where(CronRow.name.in_(schedule_of)).order_by(CronRow.name)
    rows = {row.name: row for row in session.scalars(query.with_for_update())}
    for name, schedule in sorted(schedule_of.items()):
        step, purpose = crons[name].step, crons[name].purpose
        row = rows.get(name) or CronRow(name=name, schedule="", enabled=True)
        row.purpose, row.lane, row.max_attempts = purpose, step.lane, step.retry.attempts
        if row.schedule != schedule:
            row.schedule = schedule
            row.next_at = _first(row, now)
        session.add(row)
    session.flush()


def listing(session: Session) -> list[CronRow]:
    """All cron jobs by name."""
    return list(session.scalars(select(CronRow).order_by(CronRow.name)))


def switch(session: Session, name: str, on: bool, now: datetime | None = None) -> CronRow:
    """Switch a cron job on or off; what waits or runs of it goes on.

    Raises
    ------
    NotFound
        When there is no such cron job.
    Conflict
        When it is to be switched on, but its schedule is `off`.
    """
    row = _held(session, name)
    if on and schedules.parse(row.schedule) is None:
        raise Conflict(
            f"The schedule of {name} is off. Give it one with {setting_of(name)}, and start the "
            "workers again."
        )
    row.enabled = on
    row.next_at = _first(row, now or _now(session))
    session.flush()
    return row


def run_now(session: Session, name: str, args: Json | None = None) -> int:
    """Enqueue a cron job at once, also one that is off; answers the job's id.

    Raises
    ------
    NotFound, Conflict
        When there is no such cron job, or it waits or runs already.
    """
    row = _held(session, name)
    if row.running_job_id is not None and _is_going_on(session, row.running_job_id):
        raise Conflict(f"{name} waits or runs already, as job {row.running_job_id}.")
    row.running_job_id = row.last_job_id = _enqueued(session, row, args)
    session.flush()
    return row.running_job_id


def is_manned(session: Session, name: str) -> bool:
    """Whether a worker is there that would run the cron job."""
    return bool(session.execute(statement("cron/is_manned"), {"name": name}).scalar_one())


def _something_due(session: Session, now: datetime | None) -> bool:
    asked = _at(now, "cron/something_due")
    return bool(session.execute(asked, {"names": list(crons)}).scalar_one())


def _enqueue_due(session: Session, now: datetime | None) -> list[str]:
    due = session.execute(_at(now, "cron/hold_due"), {"names": list(crons)})
    return [name for name in (_pass(session, row) for row in due.all()) if name is not None]


def _pass(session: Session, row: Any) -> str | None:
    """One cron job's time has come: enqueue it, unless it still waits or runs."""
    schedule = schedules.parse(row.schedule)
    passed = schedule.count(row.next_at, row.now) if schedule else 0
    job_id = None
    if schedule and not row.is_busy:
        job_id = _enqueued(session, row)
    session.execute(
        statement("cron/advance").bindparams(bindparam("next_at", type_=TIME)),
        {
            "name": row.name,
            "now": row.now,
            "next_at": schedule and schedule.following(row.next_at, row.now),
            "missed": passed - (job_id is not None),
            "job_id": job_id,
        },
    )
    return None if job_id is None else str(row.name)


def _enqueued(session: Session, row: Any, args: Json | None = None) -> int:
    call = Call(row.name, row.lane, args or {}, max_attempts=row.max_attempts)
    return enqueue(session, [call], run_id=None)[0]


def _recorded(name: str, body: Body) -> Body:
    """The body of a cron job, with its beginning and its result kept in its row."""

    @wraps(body)
    def run(task: Task, **args: Any) -> Save:
        _begin(task, name)
        save = body(task, **args)

        def finish(tx: Transaction) -> None:
            if save is not None:
                save(tx)
            tx.session.execute(
                statement("cron/finish"),
                {
                    "name": name,
                    "job_id": task.lease.job_id,
                    "result": json.dumps(tx.step_result or {}),
                },
            )

        return finish

    return run


def _begin(task: Task, name: str) -> None:
    job_id = task.lease.job_id
    with task.database.session() as session:
        row = session.get(CronRow, name, with_for_update=True)
        # Asked in a statement of its own, which sees what was committed before the row was ours.
        other = row.running_job_id if row is not None else None
        if other not in (None, job_id) and _is_going_on(session, other):
            until = _now(session) + BUSY_WAIT
            said = f"another run of {name} goes on (job {other})"
            raise NotNow(said, until, kind="cron", on=name)
        session.execute(statement("cron/begin"), {"name": name, "job_id": job_id})


def _held(session: Session, name: str) -> CronRow:
    row = session.get(CronRow, name, with_for_update=True, populate_existing=True)
    if row is None:
        known = session.scalars(select(CronRow.name).order_by(CronRow.name))
        raise NotFound(f"There is no cron job {name!r}. There are: {', '.join(known) or 'none'}.")
    return row


def _first(row: CronRow, now: datetime) -> datetime | None:
    schedule = schedules.parse(row.schedule)
    return schedule.after(now) if schedule and row.enabled else None


def _is_going_on(session: Session, job_id: int | None) -> bool:
    asked = session.execute(statement("cron/is_going_on"), {"job_id": job_id})
    return bool(asked.scalar_one())


def _try_lock(session: Session) -> bool:
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(LOCK_KEY))))


def _now(session: Session) -> datetime:
    return session.execute(select(func.now())).scalar_one()


def _at(now: datetime | None, name: str) -> Any:
    return statement(name).bindparams(bindparam("now", now, TIME))


def _listed(names: Mapping[str, str]) -> str:
    return ", ".join(sorted(names)) or "none: this process has no cron jobs"
