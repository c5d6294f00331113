"""Keeping places and products: reading lists of them, adding, changing and removing one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.accounts.service import ml_user
from darkroom.counting.places import outlines
from darkroom.counting.places.fields import Reference
from darkroom.counting.places.kinds import CONFIGS, KINDS, LOCATIONS, STATES, Kind, Values
from darkroom.counting.places.models import ProductState
from darkroom.errors import Conflict, Invalid, NotFound

HIGHEST = 2**31 - 1


class Book:
    """Finds what fields refer to, by code (whatever its case) or number; remembers it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: dict[tuple[str, str | int], int] = {}

    def find(self, kind: str, given: str | int) -> int | None:
        """The number of the row of that kind, or None. A text is a code before it is a number."""
        known = self._found.get((kind, given))
        if known is not None:
            return known
        found = self._look_up(kind, given)
        if found is not None:
            self._found[kind, given] = found
        return found

    def _look_up(self, kind: str, given: str | int) -> int | None:
        model = User if kind == "users" else KINDS[kind].model
        if isinstance(given, str) and hasattr(model, "code"):
            query = select(model.id).where(func.lower(model.code) == given.lower()).limit(1)
            by_code = self._session.scalar(query)
            if by_code is not None:
                return int(by_code)
        text = str(given)
        if not (text.isascii() and text.isdecimal() and int(text[:12]) <= HIGHEST):
            return None
        return self._session.scalar(select(model.id).where(model.id == int(text)))


def rows(
    session: Session,
    kind: Kind,
    *,
    text: str | None = None,
    active: bool | None = None,
    equal: Mapping[str, int] | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> list[Any]:
    """Rows of a kind by number; `text` is part of code or name, `equal` what fields must hold."""
    model = kind.model
    query = select(model).order_by(model.id).limit(limit)
    if text and kind.has_code:
        query = query.where(
            or_(
                model.code.icontains(text, autoescape=True),
                model.name.icontains(text, autoescape=True),
            )
        )
    if active is not None and hasattr(model, "is_active"):
        query = query.where(model.is_active == active)
    for name, value in (equal or {}).items():
        query = query.where(getattr(model, name) == value)
    if after is not None:
        query = query.where(model.id > after)
    return list(session.scalars(query))


def get(session: Session, kind: Kind, row_id: int) -> Any:
    """The row of a kind with that number; `NotFound` when there is none."""
    found = session.get(kind.model, row_id) if row_id <= HIGHEST else None
    if found is None:
        raise NotFound("There is nothing of this kind with that number.")
    return found


def create(
    session: Session, kind: Kind, given: Mapping[str, object], book: Book | None = None
) -> Any:
    """Add a row from what was given by field name.

    Raises
    ------
    Invalid, Conflict
        Naming the field at fault.
    """
    book = book or Book(session)
    _check_names(kind, given)
    values = {one.name: one.read(given.get(one.name), book) for one in kind.fields}
    _fill_in(session, kind, values, {})
    kind.check(values)
    row = kind.model(**values)
    _keep(session, kind, row, values)
    return row


def change(
    session: Session,
    kind: Kind,
    row: Any,
    given: Mapping[str, object],
    book: Book | None = None,
) -> bool:
    """Change the fields given; answers whether any was different.

    Raises
    ------
    Invalid, Conflict
        Naming the field at fault.
    """
    book = book or Book(session)
    _check_names(kind, given)
    before = {one.name: getattr(row, one.name) for one in kind.fields}
    read = {one.name: one.read(given[one.name], book) for one in kind.fields if one.name in given}
    values = before | read
    _fill_in(session, kind, values, before)
    kind.check(values)
    if values == before:
        return False
    _hold_default(kind, row, values)
    for name, value in values.items():
        setattr(row, name, value)
    row.updated_at = func.now()
    _keep(session, kind, row, values)
    return True


def delete(session: Session, kind: Kind, row: Any) -> None:
    """Remove a row that nothing refers to.

    Raises
    ------
    Conflict
        When something does, or when it is the default.
    """
    if kind is STATES and row.is_default:
        raise Conflict("This is the default: make another the default first.")
    try:
        with session.begin_nested():
            session.delete(row)
            session.flush()
    except IntegrityError as error:
        raise Conflict(
            "Something still belongs to it, or was counted with it: switch it off instead."
        ) from error


def names(session: Session, kind: Kind, ids: Sequence[int] | None = None) -> dict[int, str]:
    """What rows are called, by number, in the order of their codes: “A-1 · Bench 1”."""
    model = kind.model
    query = select(model.id, model.code, model.name).order_by(model.code)
    if ids is not None:
        query = query.where(model.id.in_(ids))
    return {
        row_id: code if code == name else f"{code} · {name}"
        for row_id, code, name in session.execute(query)
    }


def codes(session: Session, kind: Kind) -> list[tuple[str, str]]:
    """Code and name of the rows in use, by code, for a picker."""
    model = kind.model
    query = select(model.code, model.name).where(model.is_active).order_by(model.code)
    return [(code, name) for code, name in session.execute(query)]


def codes_of(session: Session, kind: Kind, ids: Collection[int]) -> dict[int, str]:
    """The codes of rows, in use or not, by number."""
    model = kind.model
    query = select(model.id, model.code).where(model.id.in_(ids))
    return {row_id: code for row_id, code in session.execute(query)}


def references(kind: Kind) -> list[Reference]:
    """The fields of a kind that refer to other kinds of rows."""
    return [one for one in kind.fields if isinstance(one, Reference) and one.kind in KINDS]


def _check_names(kind: Kind, given: Mapping[str, object]) -> None:
    known = [one.name for one in kind.fields]
    for name in given:
        if name not in known:
            raise Invalid(
                f"There is no field called {name}. There are: {', '.join(known)}.", str(name)[:60]
            )


def _fill_in(session: Session, kind: Kind, values: Values, before: Values) -> None:
    """What follows from the other fields where it is not said."""
    if kind is LOCATIONS and values["geojson_coordinates"]:
        moved = values["geojson_coordinates"] != before.get("geojson_coordinates")
        stayed = values["geospatial_point"] == before.get("geospatial_point")
        # A middle that stays behind while the outline moves was that of the old one.
        if values["geospatial_point"] is None or (moved and stayed):
            values["geospatial_point"] = outlines.middle(values["geojson_coordinates"])
    if kind is CONFIGS:
        values["expected_product_state_id"] = values["expected_product_state_id"] or session.scalar(
            select(ProductState.id).where(ProductState.is_default)
        )
        values["ml_user_id"] = values["ml_user_id"] or ml_user(session).id


def _hold_default(kind: Kind, row: Any, values: Values) -> None:
    if kind is STATES and row.is_default and not values["is_default"]:
        raise Invalid("There must be a default: make another the default instead.", "is_default")


def _keep(session: Session, kind: Kind, row: Any, values: Values) -> None:
    with session.no_autoflush:
        if kind is STATES and values["is_default"]:
            session.execute(
                update(ProductState)
                .where(ProductState.is_default, ProductState.id != (row.id or 0))
                .values(is_default=False, updated_at=func.now())
                .execution_options(synchronize_session="fetch")
            )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise _conflict(kind, values) from error


def _conflict(kind: Kind, values: Values) -> Conflict:
    field = kind.key[-1]
    if field == "code":
        return Conflict(f"The code “{values['code']}” is taken: choose another.", "code")
    return Conflict("There is one for this already: change that one instead.", kind.key[0])
