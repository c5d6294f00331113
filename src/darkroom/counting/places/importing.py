"""Importing files of places and products: first a dry run, then for good.

Both do the same in a transaction, row by row, each within a savepoint; the dry run takes it back.
Good rows are taken, and of each bad one the report says where it stands, what is wrong with which
field, and what to do. The file stays in the database, so that no row is ever lost.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from darkroom.counting.places import files, service
from darkroom.counting.places.files import Row
from darkroom.counting.places.kinds import CONFIGS, KINDS, Kind, Values
from darkroom.counting.places.service import Book
from darkroom.db.sessions import Base
from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.web.words import N_

Json = dict[str, Any]

TIME = DateTime(timezone=True)
SERVER = FetchedValue()
KEPT_DAYS = 90
# Any number will do, as long as all processes take the same.
IMPORT_LOCK = 0x706C6163


class PlaceImport(Base):
    """A file that somebody sent, and the report on its rows."""

    __tablename__ = "place_imports"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    user_id: Mapped[int]
    filename: Mapped[str]
    kind: Mapped[str]
    content: Mapped[bytes]
    report: Mapped[Json] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    imported_at: Mapped[datetime | None] = mapped_column(TIME)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row: its line, the field, and in words what to do about it."""

    line: int
    field: str
    value: str
    message: str


@dataclass
class Report:
    """What became (or would become) of a file's rows; numbers of rows, and the bad ones."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def good(self) -> int:
        """Rows that are taken."""
        return self.added + self.changed + self.unchanged

    @property
    def rows(self) -> int:
        """All rows of the file."""
        return self.good + len(self.problems)

    @classmethod
    def of(cls, stored: Json) -> "Report":
        """The report as it was stored."""
        problems = [Problem(**one) for one in stored["problems"]]
        return cls(stored["added"], stored["changed"], stored["unchanged"], problems)

    def as_json(self) -> Json:
        """The report as rows and the API carry it."""
        return asdict(self) | {"rows": self.rows, "good": self.good, "bad": len(self.problems)}


def begin(session: Session, user_id: int, content: bytes, filename: str, kind: Kind) -> PlaceImport:
    """Keep a file and try it: nothing is imported yet.

    Raises
    ------
    Invalid
        Where the file as a whole cannot be read.
    """
    rows = files.read(content, filename)
    made = PlaceImport(
        user_id=user_id,
        filename=_storable(filename[:200]),
        kind=kind.name,
        content=content,
        report=_tried(session, rows, kind).as_json(),
    )
    too_old = func.now() - timedelta(days=KEPT_DAYS)
    session.execute(delete(PlaceImport).where(PlaceImport.created_at < too_old))
    session.add(made)
    session.flush()
    session.refresh(made)
    return made


def get(session: Session, import_id: UUID) -> PlaceImport:
    """The import with that id; `NotFound` when there is none (any more)."""
    found = session.get(PlaceImport, import_id)
    if found is None:
        raise NotFound("There is no such import.")
    return found


def carry_out(session: Session, found: PlaceImport) -> Report:
    """Import the good rows; once, however often it is asked for."""
    session.refresh(found, with_for_update=True)
    if found.imported_at is None:
        found.report = _taken(session, rows_of(found), KINDS[found.kind]).as_json()
        found.imported_at = func.now()
        session.flush()
        session.refresh(found)
    return Report.of(found.report)


def rows_of(found: PlaceImport) -> list[Row]:
    """The rows of the file."""
    return files.read(found.content, found.filename)


def bad_rows(found: PlaceImport) -> str:
    """The bad rows as CSV, each with its problem: to be corrected and sent again."""
    problems = {one.line: f"{one.field}: {one.message}" for one in Report.of(found.report).problems}
    rows = [row for row in rows_of(found) if row.line in problems]
    return files.as_csv(rows, problems)


def _tried(session: Session, rows: Sequence[Row], kind: Kind) -> Report:
    attempt = session.begin_nested()
    try:
        return _taken(session, rows, kind)
    finally:
        attempt.rollback()


def _taken(session: Session, rows: Sequence[Row], usual: Kind) -> Report:
    # One at a time, so that two files with the same codes do not get in one another's way.
    session.execute(select(func.pg_advisory_xact_lock(IMPORT_LOCK)))
    return _Taker(session, usual).taken(rows)


class _Taker:
    """Takes rows one by one, what others refer to first, and reports on them."""

    def __init__(self, session: Session, usual: Kind) -> None:
        self._session = session
        self._usual = usual
        self._book = Book(session)
        self._lines: dict[tuple[object, ...], int] = {}
        self._rows: dict[str, dict[tuple[object, ...], Any]] = {}
        self._report = Report()

    def taken(self, rows: Sequence[Row]) -> Report:
        """What became of the rows."""
        for row in sorted(rows, key=self._place):
            self._take(row)
        self._report.problems.sort(key=lambda problem: problem.line)
        return self._report

    def _place(self, row: Row) -> int:
        """Where in the order of kinds a row is taken."""
        try:
            return list(KINDS).index(files.kind_of(row, self._usual).name)
        except Invalid:
            return len(KINDS)

    def _take(self, row: Row) -> None:
        try:
            done = self._done(row)
        except Invalid as error:
            if isinstance(error.__cause__, DBAPIError):
                message = N_("Somebody else changed these rows just now: send the file again.")
                raise Conflict(message, files.FIELD) from error
            self._refuse(row, error.field or "", error.message)
        else:
            setattr(self._report, done, getattr(self._report, done) + 1)

    def _done(self, row: Row) -> str:
        """Take it: answers which figure of the report counts it."""
        kind = files.kind_of(row, self._usual)
        own, expected = files.values_of(row, kind)
        key = self._key(kind, own)
        if (kind.name, key) in self._lines:
            line = self._lines[kind.name, key]
            raise Invalid(f"Line {line} has the same: keep one of the two.", kind.key[-1])
        done = self._put_both(kind, own, expected) if expected else self._put(kind, own)
        self._lines[kind.name, key] = row.line
        return done

    def _put_both(self, kind: Kind, own: Values, expected: Values) -> str:
        """A location and what is expected there: neither without the other."""
        known, key = self._known(kind), self._key(kind, own)
        is_new = key not in known
        try:
            with self._session.begin_nested():
                done = self._put(kind, own)
                also = self._put(CONFIGS, expected | {"storage_location_id": known[key].id})
        except Invalid:
            if is_new:
                known.pop(key, None)
            raise
        return "changed" if (done, also) == ("unchanged", "changed") else done

    def _put(self, kind: Kind, given: Values) -> str:
        key = self._key(kind, given)
        found = self._known(kind).get(key)
        if found is not None:
            different = service.change(self._session, kind, found, given, self._book)
            return "changed" if different else "unchanged"
        self._known(kind)[key] = service.create(self._session, kind, given, self._book)
        return "added"

    def _key(self, kind: Kind, given: Values) -> tuple[object, ...]:
        return tuple(kind.field(name).read(given.get(name), self._book) for name in kind.key)

    def _known(self, kind: Kind) -> dict[tuple[object, ...], Any]:
        """All rows of a kind, by what tells them apart."""
        if kind.name not in self._rows:
            self._rows[kind.name] = {
                tuple(getattr(row, name) for name in kind.key): row
                for row in service.rows(self._session, kind)
            }
        return self._rows[kind.name]

    def _refuse(self, row: Row, field: str, message: str) -> None:
        column = files.column_of(row, field)
        value = row.given.get(column)
        brief = "" if value is None else str(value)[:80]
        said = (_storable(text) for text in (column, brief, message))
        self._report.problems.append(Problem(row.line, *said))


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()
