"""The queue: workers, lanes, steps that stand still, cron jobs, breakers, long transactions."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from darkroom.db.sessions import Database, driver
from darkroom.db.statements import dashboard, raw
from darkroom.doctor.findings import Finding, fail, or_ok, warn
from darkroom.queue import cron, tables
from darkroom.queue.calls import Json

PATIENCE = timedelta(seconds=90)
"""A worker that is there mends what stands still within a minute."""
RECENT = timedelta(days=1)
MOST = 10
"""Findings of one kind; of more it says how many."""

START = "Start one: `darkroom up` (everything) or `darkroom worker`."


def examine(database: Database) -> list[Finding]:
    """How the engine is."""
    with database.session() as session:
        session.connection().exec_driver_sql("SET LOCAL transaction_read_only = on")
        session.connection().exec_driver_sql("SET LOCAL statement_timeout = '10s'")
        return [
            *or_ok(_workers(session), "workers", "All workers answer."),
            *or_ok(_lanes(session), "lanes", "Each has a worker, and none is paused."),
            *or_ok(_stalled(session), "steps", "None stands still."),
            *or_ok(_crons(session), "crons", "All run when they are due."),
            *or_ok(_breakers(session), "breakers", "All are closed."),
            *or_ok(_tables(session), "tables", "None carries many dead rows."),
        ]


def _workers(session: Session) -> Iterator[Finding]:
    rows = _rows(session, dashboard("workers"))
    for row in rows:
        if not row["lives"]:
            beat = row["beat_seconds"]
            since = f"for {beat:.0f} s" if beat is not None else "and its row is gone"
            yield warn(
                "workers",
                f"{row['worker']} has been silent {since}; it died or froze.",
                "If it is not replaced by itself, start it anew. Its steps are rescued by others.",
            )
    if not any(row["lives"] for row in rows):
        yield fail("workers", "There is none: nothing that is queued will run.", START)


def _lanes(session: Session) -> Iterator[Finding]:
    for row in _rows(session, dashboard("lanes")):
        name, waiting = row["lane"], row["waiting"]
        if row["paused_at"] is not None:
            said = f"{name} is paused by {row['paused_by']} since {row['paused_at']:%Y-%m-%d %H:%M}"
            reason = f" ({row['pause_reason']})" if row["pause_reason"] else ""
            fix = f"Resume it in the console, or with `darkroom lanes resume {name}`."
            yield warn("lanes", f"{said}{reason}; {_steps_wait(waiting)}.", fix)
        if row["workers"] == 0:
            judge = fail if waiting else warn
            said = f"{name} has no worker; {_steps_wait(waiting)}."
            yield judge("lanes", said, f"Start one: `darkroom worker --lanes {name}`.")


def _stalled(session: Session) -> Iterator[Finding]:
    now = _rows(session, "SELECT now()")[0]["now"]
    rows = [row for row in _rows(session, dashboard("stalled")) if now - row["since"] > PATIENCE]
    for row in rows[:MOST]:
        which = f"job {row['job_id']}" if row["job_id"] else f"run {row['run_id']}"
        yield fail(
            "steps",
            f"{row['task']} ({which}) has stood still since {row['since']:%Y-%m-%d %H:%M}: "
            f"{row['why']}.",
            "A running worker takes it up within a minute. If one runs, look into its log.",
        )
    if len(rows) > MOST:
        more = len(rows) - MOST
        yield fail("steps", f"And {more} more {'stands' if more == 1 else 'stand'} still.", START)


def _crons(session: Session) -> Iterator[Finding]:
    now = _rows(session, "SELECT now()")[0]["now"]
    rows = _rows(session, dashboard("crons"))
    if not rows:
        yield warn("crons", "There are none yet: no worker has ever started.", START)
    for row in rows:
        yield from _cron(row, now)
    for row in _rows(session, raw("doctor/stuck_crons")):
        why = f": {row['waiting_for']}" if row["waiting_for"] else ""
        yield warn(
            "crons",
            f"{row['name']} has waited or run for over an hour (job {row['running_job_id']}){why}.",
            "Look at the job in the console; cancel it if it hangs.",
        )


def _cron(row: Json, now: Any) -> Iterator[Finding]:
    name = row["name"]
    if cron.crons and name not in cron.crons:
        fix = f"If no newer version runs beside: DELETE FROM crons WHERE name = '{name}'."
        yield warn("crons", f"{name} is none of this version's cron jobs.", fix)
    elif row["next_at"] is not None and now - row["next_at"] > PATIENCE:
        said = f"{name} has been due since {row['next_at']:%Y-%m-%d %H:%M} and nobody started it."
        yield fail("crons", said, START)
    elif row["last_outcome"] == "failed":
        said = f"{name} failed at {row['last_finished_at']:%Y-%m-%d %H:%M}: {row['last_error']}"
        yield warn("crons", said, f"Mend that and run it: `darkroom upkeep run {name}`.")
    elif row["last_missed_at"] is not None and now - row["last_missed_at"] < RECENT:
        yield warn(
            "crons",
            f"{name} missed due times, {row['missed']} so far, the last at "
            f"{row['last_missed_at']:%Y-%m-%d %H:%M}: no worker was there, or it still ran.",
            "One run made up for them. Keep a worker running, or give it a slower schedule.",
        )


def _breakers(session: Session) -> Iterator[Finding]:
    for row in _rows(session, dashboard("breakers")):
        which = f"{row['provider']} {row['operation']}"
        if row["state"] == "isolated":
            said = f"{which} is shut off by {row['isolated_by']}: {row['isolated_reason'] or '-'}"
            yield warn("breakers", said, "Reset it in the console when the provider may be called.")
        elif row["state"] != "closed":
            said = f"{which} is open; {_steps_wait(row['waiting'])}. It said: {row['last_error']}"
            yield warn("breakers", said, "It tries again by itself; look at the provider's status.")


def _tables(session: Session) -> Iterator[Finding]:
    for hint in tables.measure(session)["hints"]:
        said, _, fix = hint.rpartition(". ")
        yield warn("tables", f"{said}.", fix)


def _steps_wait(count: int) -> str:
    return "1 step waits" if count == 1 else f"{count} steps wait"


def _rows(session: Session, query: str) -> list[Json]:
    with driver(session).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()
