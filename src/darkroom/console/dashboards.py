"""The dashboards: the files of `sql/dashboards`, read and run as they are.

A file asks one question, opens with a comment that says which, and runs in psql without anything
beside it. Here it runs in a transaction that can only read, ends after two seconds, and answers a
limited number of rows, so that no look at the queue can hurt it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.errors import QueryCanceled
from psycopg.types.numeric import FloatLoader
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from darkroom.db.sessions import Database, driver
from darkroom.errors import Invalid, NotFound, Transient
from darkroom.settings import ROOT
from darkroom.web.words import N_

FOLDER = ROOT / "sql" / "dashboards"

TIMEOUT_MS = 2000
TOO_LONG = N_("This took longer than 2 seconds and was ended. Try again, or look back less far.")
MAX_ROWS = 500
NO_PERIOD = N_("The period must be between 1 minute and a year.")
DEFAULT_MINUTES = 60
PERIODS = {60: "1h", 360: "6h", 1440: "24h", 10_080: "7d"}
"""Minutes that a dashboard over history can look back, as they are offered."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Dashboard:
    """One question: its name, the question in English, the whole comment, and the SQL."""

    name: str
    question: str
    about: str
    statement: str

    @property
    def has_period(self) -> bool:
        """True when it looks back for some time, which can be chosen."""
        return "darkroom.minutes" in self.statement


# Compared by identity, so that what is made of an answer can be kept with it.
@dataclass(frozen=True, eq=False)
class Answer:
    """What a dashboard answered: its columns, its rows, and how long it took."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    capped: bool
    taken_at: datetime
    seconds: float

    @property
    def records(self) -> list[Json]:
        """The rows by the names of their columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def first(self, count: int) -> "Answer":
        """The same with its first rows only."""
        return replace(self, rows=self.rows[:count], capped=self.capped or len(self.rows) > count)


@cache
def names() -> tuple[str, ...]:
    """The names of all dashboards, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.sql")))


@cache
def load(name: str) -> Dashboard:
    """The dashboard of that name; `NotFound` when there is none."""
    if name not in names():
        raise NotFound(f"There is no dashboard {name!r}. There are: {', '.join(names())}.", "name")
    statement = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    comment = [
        line.removeprefix("--").removeprefix(" ")
        for line in _leading_comment(statement.splitlines())
    ]
    return Dashboard(name, comment[0], "\n".join(comment), statement)


def run(database: Database, name: str, minutes: int | None = None) -> Answer:
    """Ask the database.

    Parameters
    ----------
    minutes
        How far to look back, for dashboards with a period; an hour when left out.

    Raises
    ------
    NotFound, Invalid
        When there is no such dashboard, or the period is none.
    Transient
        When it took longer than two seconds.
    """
    dashboard = load(name)
    check_period(minutes)
    with careful(database) as session:
        connection = driver(session)
        if minutes is not None:
            connection.execute(sql.SQL("SET LOCAL darkroom.minutes = {}").format(minutes))
        began = connection.execute("SELECT clock_timestamp()").fetchone()
        cursor = connection.cursor()
        cursor.adapters.register_loader("numeric", FloatLoader)
        cursor.execute(dashboard.statement)
        rows = cursor.fetchmany(MAX_ROWS)
        ended = connection.execute("SELECT clock_timestamp()").fetchone()
    assert began is not None and ended is not None
    return Answer(
        columns=tuple(column.name for column in cursor.description or ()),
        rows=tuple(rows),
        capped=cursor.rowcount > MAX_ROWS or cursor.rowcount == _limit(dashboard),
        taken_at=ended[0],
        seconds=(ended[0] - began[0]).total_seconds(),
    )


def check_period(minutes: int | None) -> None:
    """`Invalid` unless it is a number of minutes between 1 and a year."""
    if minutes is not None and not 1 <= minutes <= 366 * 1440:
        raise Invalid(NO_PERIOD, "minutes")


def read_period(given: str | None) -> int:
    """The period that a query asks for, an hour when it does not."""
    if not given:
        return DEFAULT_MINUTES
    if not given.isascii() or not given.isdecimal() or len(given) > 9:
        raise Invalid(NO_PERIOD, "minutes")
    check_period(int(given))
    return int(given)


def answer_json(name: str, answer: Answer) -> Json:
    """An answer as the API and the command line give it."""
    return {
        "dashboard": name,
        "columns": list(answer.columns),
        "rows": records_json(answer),
        "capped": answer.capped,
        "taken_at": answer.taken_at.isoformat(),
        "seconds": answer.seconds,
    }


def records_json(answer: Answer) -> list[Json]:
    """The rows as JSON carries them."""
    return [{name: as_json(value) for name, value in row.items()} for row in answer.records]


def record_json(answer: Answer, **key: str) -> Json:
    """The row with that key as JSON carries it; empty when there is none."""
    rows = records_json(answer)
    return next((row for row in rows if all(row[name] == key[name] for name in key)), {})


def as_json(value: Any) -> Any:
    """A value as JSON carries it: times in ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


@contextmanager
def careful(database: Database) -> Iterator[Session]:
    """A session that can only read, and whose statements end after two seconds, as `Transient`."""
    try:
        with database.session() as session:
            connection = driver(session)
            connection.execute("SET TRANSACTION READ ONLY")
            connection.execute(
                sql.SQL("SET LOCAL statement_timeout = {}").format(sql.Literal(TIMEOUT_MS))
            )
            # Compiling takes longer than these statements do.
            connection.execute("SET LOCAL jit = off")
            yield session
    except QueryCanceled:
        raise Transient(TOO_LONG) from None
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise Transient(TOO_LONG) from None
        raise


def _leading_comment(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("--"):
            return
        yield line.removeprefix("--").removeprefix(" ")


def _limit(dashboard: Dashboard) -> int | None:
    """The limit of the statement's last line, where it has one."""
    last = dashboard.statement.strip().splitlines()[-1].split()
    return int(last[1]) if last[0] == "LIMIT" and last[1].isdecimal() else None
